"""Every action that a charge point may initiate, in every version, has a route and at least one case of frames."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from chargenet.model.words import Protocol
from collector.handlers.directions import CHARGE_POINT_INITIATED
from collector.ocpp.schemas import schema_for
from collector.routing import ROUTES
from tests.support.desk import CaseDesk, process
from tests.support.payloads import full, minimal

FRAMES = Path(__file__).resolve().parents[1] / "cases" / "frames"

CHARGE_POINT_16 = {
    "Authorize", "BootNotification", "DataTransfer", "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat",
    "LogStatusNotification", "MeterValues", "SecurityEventNotification", "SignCertificate", "SignedFirmwareStatusNotification",
    "StartTransaction", "StatusNotification", "StopTransaction",
}  # fmt: skip
"""OCPP 1.6 §4 and the security whitepaper, written here a second time: a row lost from the product's table is noticed."""


def _actions_with_a_case(protocol: Protocol) -> set[str]:
    """Actions of the calls and sends among the cases of a version."""
    found = set()
    for path in FRAMES.glob("*/*.json"):
        case = json.loads(path.read_text())
        if case["protocol"] != protocol.value or "frame" not in case:
            continue
        try:
            frame = msgspec.json.decode(case["frame"])
        except (ValueError, RecursionError):
            continue
        if isinstance(frame, list) and len(frame) == 4 and frame[0] in (2, 6) and isinstance(frame[2], str):
            found.add(frame[2])
    return found


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_action_has_a_route_and_a_case(protocol: Protocol) -> None:
    """No route is missing, none is too many, and each is shown by an example."""
    assert set(ROUTES[protocol]) == CHARGE_POINT_INITIATED[protocol]
    assert CHARGE_POINT_INITIATED[protocol] - _actions_with_a_case(protocol) == set()


def test_the_actions_of_16() -> None:
    """Fourteen, as the specification and the whitepaper list them."""
    assert set(ROUTES[Protocol.OCPP16]) == CHARGE_POINT_16


@pytest.mark.parametrize("action", sorted(CHARGE_POINT_16))
@pytest.mark.parametrize("parent", [None, "P" * 20, "P" * 21])
def test_replies_of_16_follow_their_schema(action: str, parent: str | None) -> None:
    """To the least, the most, and an empty call; a parent tag that 1.6 cannot carry is left out."""
    schema = schema_for(Protocol.OCPP16, action)
    for payload in (minimal(schema.document), full(schema.document), {}):
        text = f'[2,"m1","{action}",{json.dumps(payload)}]'.encode()
        reply = json.loads(process(text, Protocol.OCPP16, CaseDesk(parent=parent)).reply)
        if reply[0] == 3:
            schema_for(Protocol.OCPP16, action, response=True).check(reply[2])
        else:
            assert payload == {}
            assert not ROUTES[Protocol.OCPP16][action].report
