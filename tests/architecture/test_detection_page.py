"""docs/detection.md shows what docs/detection.json holds, which is what the command gave for the limits that ship."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from alerts.detectors.statistics.settings import DEFAULTS
from alerts.evaluation.evaluate import Report
from alerts.evaluation.faults import FAULTS
from alerts.evaluation.hard_faults import HARD_FAULTS
from alerts.evaluation.tables import LIMITS, markdown

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "detection.md").read_text()
REPORT = msgspec.json.decode((DOCS / "detection.json").read_bytes(), type=Report)


def test_the_tables_are_those_of_the_report() -> None:
    """`chargewatch detect evaluate --markdown` wrote them."""
    shown = re.search(r"<!-- tables -->\n(.*)<!-- end of tables -->", PAGE, re.DOTALL)
    assert shown is not None and shown[1] == markdown(REPORT)


@pytest.mark.parametrize("name", LIMITS)
def test_the_limits_that_evaluation_chose_ship(name: str) -> None:
    """Nothing is tuned by hand afterwards."""
    assert getattr(DEFAULTS, name) == pytest.approx(getattr(REPORT.fitted, name))


def test_every_fault_is_reported() -> None:
    """Those that the code knows, no others."""
    expected = [(fault.name, severity) for fault in FAULTS for severity, _ in fault.severities]
    assert [(row.fault, row.severity) for row in REPORT.faults] == expected
    assert [row.fault for row in REPORT.hard] == [fault.name for fault in HARD_FAULTS]


def test_what_misses_its_target_is_named() -> None:
    """In the list before the tables, each by its name."""
    section = PAGE.split("## Results", 1)[1].split("<!-- tables -->", 1)[0]
    named = re.findall(r"^- \*\*(.+?)\*\*", section, re.MULTILINE)
    assert named == REPORT.missed
