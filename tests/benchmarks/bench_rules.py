"""What the rules cost: facts folded per second, and a pass over 50,000 connectors, with one sick charge point in 250."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from alerts.detectors.rules import Heard, RuleSettings, judge, judge_point
from alerts.signals import NetworkSignals
from chargenet.events import Event, Fact
from tests.support.facts import at
from tests.support.tale import OPENED, began, boot, read, said

CHARGE_POINTS = 25_000
NOW = at(1800)


def facts() -> list[Fact]:
    """Two connectors each; a third of the charge points charges a car."""
    told: list[Fact] = []

    def tell(name: str, seconds: float, *events: Event) -> None:
        told.append(Fact(len(told) + 1, at(seconds), name, 1, "ocpp1.6", "Any", events))

    for number in range(CHARGE_POINTS):
        name = f"CP{number}"
        tell(name, 0, OPENED)
        tell(name, 1, boot(vendor=f"V{number % 5}"))
        tell(name, 2, said("Available", 1))
        tell(name, 2, said("Faulted", 2, code="GroundFailure") if number % 250 == 0 else said("Available", 2))
        if number % 3 == 0:
            tell(name, 10, said("Charging", 1))
            tell(name, 11, began(str(number), 1))
            for index in range(1, 5):
                seconds = 11 + index * 300
                tell(name, seconds, read(580 * index, 7000, seconds=seconds, transaction_id=str(number)))
    return told


@pytest.mark.benchmark
def test_fold_and_judge() -> None:
    """One JSON line. The only limit: a pass over 50,000 connectors takes seconds."""
    told, signals = facts(), NetworkSignals()
    start = time.perf_counter()
    for fact in told:
        signals.apply(fact)
    folded_s = time.perf_counter() - start
    sites = {name: f"S{number // 8}" for number, name in enumerate(signals.points)}
    heard = Heard(dict.fromkeys(signals.points, NOW - timedelta(seconds=60)))
    start = time.perf_counter()
    found = judge(signals, NOW, RuleSettings(), sites, heard)
    judged_s = time.perf_counter() - start
    start = time.perf_counter()
    stored = sum(len(signals.snapshot(name)) for name in signals.points)
    stored_s = time.perf_counter() - start
    point = signals.points["CP0"]
    start = time.perf_counter()
    for _ in range(1000):
        judge_point(point, NOW, RuleSettings(), heard=heard)
    one_us = (time.perf_counter() - start) * 1000
    assert len(found) == CHARGE_POINTS // 250 and judged_s < 10
    line = {
        "benchmark": "rules",
        "facts_per_s": round(len(told) / folded_s),
        "connectors": 2 * CHARGE_POINTS,
        "pass_s": round(judged_s, 2),
        "judge_point_us": round(one_us),
        "snapshot_bytes_per_charge_point": round(stored / CHARGE_POINTS),
        "snapshot_all_s": round(stored_s, 2),
    }
    print(json.dumps(line))
