"""Calls to charge points over HTTP: each outcome has its status, and the body always has the outcome."""

from __future__ import annotations

import pytest

from chargenet.commands import Call, RemoteStop, Reset
from chargenet.errors import InvalidCall
from chargenet.model.words import OutcomeStatus
from tests.support.api import Api

RESET = {"action": "Reset", "payload": {"type": "Soft"}, "timeout_s": 5}


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        (OutcomeStatus.ACCEPTED, 200),
        (OutcomeStatus.REJECTED, 200),
        (OutcomeStatus.ERROR, 200),
        (OutcomeStatus.NOT_CONNECTED, 409),
        (OutcomeStatus.TIMED_OUT, 504),
    ],
)
async def test_every_outcome_is_in_the_body(api: Api, ends: OutcomeStatus, status: int) -> None:
    """What the charge point answered is a success; what it did not answer is a problem; both have the outcome."""
    await api.platform.register("CP-1")
    api.platform.gateway.end_with(ends)
    answer = await api.operator.post("/charge-points/CP-1/calls", json=RESET)
    assert answer.status_code == status
    assert (answer.json()["outcome"]["status"], answer.json()["outcome"]["action"]) == (ends.value, "Reset")
    assert answer.headers["content-type"] == ("application/json" if status == 200 else "application/problem+json")


async def test_the_call_goes_out_as_given(api: Api) -> None:
    """Action, payload and time limit reach the gateway unchanged."""
    await api.platform.register("CP-1")
    await api.operator.post("/charge-points/CP-1/calls", json=RESET)
    assert api.platform.gateway.sent == [("CP-1", Call(action="Reset", payload={"type": "Soft"}), 5.0)]


async def test_typed_commands_are_converted(api: Api) -> None:
    """A typed command becomes its value; one that cannot be is refused with the field's name, and nothing is sent."""
    await api.platform.register("CP-1")
    for command in ({"type": "Reset", "immediate": True}, {"type": "RemoteStop", "transaction_id": "42"}):
        assert (await api.operator.post("/charge-points/CP-1/commands", json={"command": command})).status_code == 200
    assert [sent for _, sent, _ in api.platform.gateway.sent] == [Reset(immediate=True), RemoteStop(transaction_id="42")]
    for wrong in ({"type": "Reset", "immediate": "perhaps"}, {"type": "Explode"}, {}):
        answer = await api.operator.post("/charge-points/CP-1/commands", json={"command": wrong})
        assert answer.status_code == 422, wrong
    assert len(api.platform.gateway.sent) == 2


async def test_an_unknown_charge_point_is_404_with_the_outcome(api: Api) -> None:
    """Nothing is audited for a charge point that is neither connected nor known."""
    api.platform.gateway.end_with(OutcomeStatus.NOT_CONNECTED)
    answer = await api.operator.post("/charge-points/nobody/calls", json=RESET)
    assert (answer.status_code, answer.json()["outcome"]["status"]) == (404, "not_connected")
    assert await api.audited() == []


async def test_a_charge_point_that_no_read_model_knows_yet_can_be_called(api: Api) -> None:
    """It connected a moment ago: the gateway knows, the stores do not yet."""
    answer = await api.operator.post("/charge-points/just-connected/calls", json=RESET)
    assert (answer.status_code, answer.json()["outcome"]["status"]) == (200, "accepted")


async def test_a_refused_payload_is_422_with_the_outcome(api: Api) -> None:
    """The schema's complaint is the detail."""
    await api.platform.register("CP-1")
    api.platform.gateway.refusal = InvalidCall("Reset", "type: 'Gentle' is not one of Hard, Soft")
    answer = await api.operator.post("/charge-points/CP-1/calls", json=RESET)
    assert (answer.status_code, answer.json()["outcome"]["status"]) == (422, "error")
    assert "Gentle" in answer.json()["detail"]


async def test_the_trail_has_the_call_without_its_secrets(api: Api) -> None:
    """The audit entry has action and outcome; an AuthorizationKey that was set is hidden."""
    await api.platform.register("CP-1")
    payload = {"key": "AuthorizationKey", "value": "0123456789abcdef0123"}
    await api.operator.post("/charge-points/CP-1/calls", json={"action": "ChangeConfiguration", "payload": payload})
    entry = (await api.admin.get("/audit")).json()["items"][0]
    assert entry["after"]["command"]["payload"] == {"key": "AuthorizationKey", "value": "(hidden)"}
    assert entry["after"]["outcome"]["status"] == "accepted"


@pytest.mark.parametrize(
    "body",
    [{}, {"action": ""}, {"action": "Reset", "timeout_s": 0}, {"action": "Reset", "timeout_s": 1e9}, {"action": "Reset", "x": 1}],
)
async def test_wrong_bodies_are_named(api: Api, body: dict[str, object]) -> None:
    """Every wrong member of a body is in `errors`."""
    answer = await api.operator.post("/charge-points/CP-1/calls", json=body)
    assert answer.status_code == 422 and answer.json()["errors"][0]["location"].startswith("body")
