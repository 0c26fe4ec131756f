"""An OCPP 2.1 charge point written with the PyPI `ocpp` client: what it shares with 2.0.1, and what is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ocpp.v21 import call, call_result

from tests.support import stories_2x
from tests.support.peer import ask, frames, items, metrics_of, peer, settled
from tests.support.platform import RunningPlatform
from tests.support.raw import raw
from tests.support.stories_2x import COMMANDS, WHEN, Story

PROTOCOL = "ocpp2.1"
LONG = "https://example.org/" + "x" * 1000
NEW_COMMANDS: list[Story] = [
    (
        {"type": "TriggerMessage", "message": "CustomTrigger:SelfTest"},
        "TriggerMessage", {"requestedMessage": "CustomTrigger", "customTrigger": "SelfTest"},
        {"status": "Accepted"}, {"status": "NotImplemented"},
    ),
    (
        {"type": "GetDiagnostics", "location": LONG, "request_id": 3},
        "GetLog", {"logType": "DiagnosticsLog", "requestId": 3, "log": {"remoteLocation": LONG}},
        {"status": "Accepted", "filename": "s.log"}, {"status": "Rejected"},
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with RunningPlatform(tmp_path_factory.mktemp("v21") / "data") as running:
        yield running


def availability(event_id: int, value: str, component: str, **evse: int) -> dict[str, Any]:
    """One AvailabilityState of a NotifyEvent."""
    return {
        "event_id": event_id, "timestamp": WHEN, "trigger": "Delta", "actual_value": value,
        "event_notification_type": "HardWiredNotification", "variable": {"name": "AvailabilityState"},
        "component": {"name": component, "evse": evse} if evse else {"name": component},
    }  # fmt: skip


async def test_it_boots_and_its_events_are_its_status(platform: RunningPlatform) -> None:
    """2.1 reports AvailabilityState by NotifyEvent: connectors and metrics show it as if it had been a StatusNotification."""
    async with peer(platform.url, "BOOT", PROTOCOL) as point:
        booted = await stories_2x.boot(point, PROTOCOL)
        assert booted.status == "Accepted" and booted.interval > 0
        said = [
            availability(1, "Available", "ChargingStation"),
            availability(2, "Occupied", "Connector", id=1, connector_id=1),
            availability(3, "Faulted", "Connector", id=2, connector_id=1),
        ]
        await point.call(call.NotifyEvent(event_data=said, generated_at=WHEN, seq_no=0))
        await settled(platform)
        shown = {row["connector"]: row["status"] for row in await items(platform, "connectors", charge_point="BOOT")}
        assert shown == {"1": "Occupied", "2": "Faulted"}
        lines = await metrics_of(platform, "BOOT")
        assert 'chargewatch_connector_status{site="",charge_point="BOOT",connector="2",status="Faulted"} 1' in lines
        again = [availability(4, "Available", "Connector", id=2, connector_id=1)]
        await point.call(call.NotifyEvent(event_data=again, generated_at=WHEN, seq_no=0))
        await settled(platform)
        lines = await metrics_of(platform, "BOOT")
        assert 'connector="2",status="Available"} 1' in lines and 'connector="2",status="Faulted"' not in lines


async def test_it_charges(platform: RunningPlatform) -> None:
    """A whole transaction; repeated events are answered again and counted once."""
    await stories_2x.charges(platform, PROTOCOL)


async def test_it_reports(platform: RunningPlatform) -> None:
    """Readings, firmware, logs, security events, vendor data and variables."""
    await stories_2x.reports(platform, PROTOCOL)


@pytest.mark.parametrize("story", COMMANDS + NEW_COMMANDS, ids=stories_2x.named(COMMANDS + NEW_COMMANDS))
async def test_a_typed_command_is_sent_and_its_answer_read(platform: RunningPlatform, story: Story) -> None:
    """The call as 2.1 wants it; consent, refusal and a call error are three different outcomes."""
    await stories_2x.is_carried_out(platform, PROTOCOL, story)


RAW: list[tuple[str, dict[str, Any], Any]] = [
    ("GetTariffs", {"evseId": 0}, call_result.GetTariffs(status="NoTariff")),
    (
        "UsePriorityCharging",
        {"transactionId": "T", "activate": True},
        call_result.UsePriorityCharging(status="Accepted"),
    ),
    (
        "RequestBatterySwap",
        {"idToken": {"idToken": "A", "type": "Central"}, "requestId": 2},
        call_result.RequestBatterySwap(status="Accepted"),
    ),
    ("GetPeriodicEventStream", {}, call_result.GetPeriodicEventStream()),
]


@pytest.mark.parametrize(("action", "payload", "result"), RAW, ids=[action for action, *_ in RAW])
async def test_actions_that_are_new_in_2_1(platform: RunningPlatform, action: str, payload: dict[str, Any], result: Any) -> None:
    """Sent by name, checked against 2.1's schemas on both sides."""
    async with peer(platform.url, "RAW", PROTOCOL) as point:
        point.results[action] = result
        status, outcome = await ask(platform, "RAW", (action, payload))
        assert (status, outcome["status"]) == (200, "accepted"), outcome
        assert point.asked == [(action, payload)]


async def test_a_send_is_kept_and_never_answered(platform: RunningPlatform) -> None:
    """Message type 6: the next thing that the charge point hears is the answer to its next call; bad ones are kept too."""
    stream = {"id": 1, "pending": 0, "basetime": WHEN, "data": [{"t": 0, "v": "16.1"}, {"t": 1.5, "v": "16.0"}]}
    async with raw(platform.url, "STREAM", PROTOCOL) as point:
        opened = {"constantStreamData": {"id": 1, "variableMonitoringId": 1, "params": {"interval": 1}}}
        assert (await point.call("OpenPeriodicEventStream", opened))[2] == {"status": "Accepted"}
        await point.send_frame(6, "NotifyPeriodicEventStream", stream)
        await point.send_frame(6, "NotifyPeriodicEventStream", {"id": "one"})
        await point.send_frame(6, "Sing", {})
        assert await point.is_served()
        await settled(platform)
    sent = [frame for frame in await frames(platform, "STREAM") if frame["kind"] == "send"]
    assert [frame["action"] for frame in sent] == ["NotifyPeriodicEventStream", "NotifyPeriodicEventStream", "Sing"]
    assert sent[0]["payload"] == stream and all(frame["reply"] is None for frame in sent)
    assert "refused" in sent[2]["flags"]


async def test_a_charge_point_that_did_not_understand_our_answer(platform: RunningPlatform) -> None:
    """Message type 5 (CALLRESULTERROR): kept, flagged, not answered."""
    async with raw(platform.url, "PUZZLED", PROTOCOL) as point:
        await point.say('[5,"m1","FormatViolation","currentTime is not a time",{}]')
        assert await point.is_served()
    (kept,) = [frame for frame in await frames(platform, "PUZZLED") if frame["kind"] == "refused"]
    assert kept["payload"][0] == 5 and "refused" in kept["flags"]
