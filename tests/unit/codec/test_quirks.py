"""The table of quirks: rows are distinct, evidenced, and each can be reached."""

from __future__ import annotations

import re
from pathlib import Path

from chargenet.events import FrameDeviated
from collector.deviations import Deviation, rule
from collector.quirks import QUIRKS, flag

COLLECTOR = Path(__file__).resolve().parents[3] / "collector"
_WORD = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)*)"')


def _used() -> set[str]:
    """Every word in quotes of the code that raises deviations: among them every rule."""
    folders = (COLLECTOR / "ocpp", COLLECTOR / "handlers")
    return {word for folder in folders for path in folder.rglob("*.py") for word in _WORD.findall(path.read_text())}


def test_every_row_has_a_name_a_meaning_and_evidence() -> None:
    """No two rows share a name."""
    assert len({row.name for row in QUIRKS}) == len(QUIRKS)
    for row in QUIRKS:
        assert row.name
        assert row.meaning
        assert row.evidence
        assert all(evidence.strip() for evidence in row.evidence)


def test_every_row_belongs_to_a_rule_that_is_raised() -> None:
    """A row that nothing can match would be a claim without code."""
    rules = _used()
    samples = (
        "",
        "x.value",
        "x.unit",
        "x.measurand",
        "idTag",
        "aSerialNumber",
        "info",
        "status",
        "errorCode",
        "requestId",
        "connectorId",
    )
    paths = (*samples, "disconnectReason", "x.sampledValue", "timestamp")
    actions = (None, "StatusNotification", "FirmwareStatusNotification", "Authorize", "StopTransaction")
    values = (None, "Hz", "Current.Import.L1", "Reason")
    for row in QUIRKS:
        assert any(
            row.match(Deviation(name, path, "", value, action))
            for name in rules
            for path in paths
            for action in actions
            for value in values
        ), row.name


def test_the_first_row_that_matches_names_the_deviation() -> None:
    """The particular stands before the general."""
    assert flag("unexpected", "connectorId", "ignored", "connectorId", "Authorize").quirk == "authorize-connector"
    assert flag("unexpected", "colour", "ignored", "colour", "Authorize").quirk == "property-unexpected"


def test_what_no_row_knows_is_named_schema() -> None:
    """It is told all the same, with its path."""
    assert flag("out-of-range", "a.b", "too big", 9, "X") == FrameDeviated(quirk="schema", detail="a.b: too big", action="X")
    assert flag("out-of-range", "", "too big").detail == "too big"


def test_a_predicate_asks_for_all_it_names() -> None:
    """Rule, path, action and value each can say no."""
    match = rule("r", ends="b", action="A", value=lambda value: value == 1)
    assert match(Deviation("r", "a.b", "", 1, "A"))
    assert not match(Deviation("q", "a.b", "", 1, "A"))
    assert not match(Deviation("r", "a.c", "", 1, "A"))
    assert not match(Deviation("r", "a.b", "", 2, "A"))
    assert not match(Deviation("r", "a.b", "", 1, "B"))
