"""What the statistical tests cost: all of them over 50,000 connectors, one connector after a fact, and the forest over a week."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from alerts.detectors.forest import Forest, judge_weeks
from alerts.detectors.statistics import History, judge
from tests.support.attempts import TRIED, attempt, day, network

CONNECTORS = 50_000
SOURCES = 48
NOW = 60.2


def large() -> History:
    """A small network lived through, then copied: every connector has a full window, and one in 5,000 gives nothing."""
    history = network(60, connectors=SOURCES)
    for number in range(6):
        history.add(attempt(60 + number / 48, "empty"))
    table = history.table
    for at in range(SOURCES, CONNECTORS):
        source = 0 if at % 5000 == 0 else 1 + at % (SOURCES - 1)
        charge_point_id = f"CP{at}"
        history.describe(charge_point_id, "Maker", f"Model {at % 20}")
        history.place(charge_point_id, f"site {at // 8}")
        table.overwrite_row(history.row((charge_point_id, "1")), source)
    return history


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_judging_fifty_thousand_connectors() -> None:
    """One JSON line. The only limit: a batch takes seconds."""
    history = large()
    start = time.perf_counter()
    found = judge(history, day(NOW))
    judged_s = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(20):
        judge(history, day(NOW), only=[TRIED])
    one_ms = (time.perf_counter() - start) / 20 * 1000
    forest = Forest()
    start = time.perf_counter()
    judge_weeks(history, forest, day(NOW), learn=True)
    learned_s = time.perf_counter() - start
    start = time.perf_counter()
    judge_weeks(history, forest, day(NOW))
    weeks_s = time.perf_counter() - start
    assert len(found) >= CONNECTORS // 5000 and judged_s < 60
    table = history.table
    line = {
        "benchmark": "detectors",
        "connectors": CONNECTORS,
        "batch_s": round(judged_s, 2),
        "one_connector_ms": round(one_ms, 1),
        "forest_learn_and_score_s": round(learned_s, 2),
        "forest_score_s": round(weeks_s, 2),
        "window_mb": round(np.sum([each.nbytes for each in (table.records, table.days, table.histogram)]) / 1e6),
    }
    print(json.dumps(line))
