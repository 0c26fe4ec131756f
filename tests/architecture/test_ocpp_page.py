"""docs/ocpp.md says what the handlers and command tables do."""

from __future__ import annotations

from chargenet.model.words import Protocol
from collector.commands.directory import CSMS_INITIATED
from collector.handlers.directions import CHARGE_POINT_INITIATED
from tests.support.ocpp_docs import PAGE, page


def test_the_page_is_up_to_date() -> None:
    """Run `python -m tests.support.ocpp_docs` after a change of routes, handlers or command tables."""
    assert PAGE.read_text() == page()


def test_the_page_holds_every_action() -> None:
    """Each action of each version has its row in the table of its direction."""
    theirs, ours = PAGE.read_text().split("## Calls to a charge point")
    for table, directions in ((theirs, CHARGE_POINT_INITIATED), (ours, CSMS_INITIATED)):
        rows = [line.split(" | ")[:2] for line in table.splitlines() if line.startswith("| ")]
        for protocol, version in ((Protocol.OCPP16, "1.6"), (Protocol.OCPP201, "2.0.1"), (Protocol.OCPP21, "2.1")):
            listed = {name.removeprefix("| ") for name, versions in rows if version in versions.split(", ")}
            assert listed == directions[protocol]
