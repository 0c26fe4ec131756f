"""The recording that docs/detection.md reports on: the page says what the rule sets aside there."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from alerts.evaluation.evaluate import Report, set_aside
from alerts.evaluation.plan import make
from alerts.evaluation.sessions import read
from tests.conftest import DATA

REPORT = msgspec.json.decode((Path(__file__).parents[3] / "docs" / "detection.json").read_bytes(), type=Report)


@pytest.mark.data
def test_the_report_is_of_this_recording() -> None:
    """As many sessions and connectors, and the same healthy months."""
    found = read(DATA / "sessions-perth.csv", "Europe/London")
    plan = make(found.sessions, REPORT.seed, per_cell=0)
    assert (len(found.sessions), len(plan.connectors), found.unusable) == (REPORT.sessions, REPORT.connectors, 0)
    assert set_aside(plan) == REPORT.aside
