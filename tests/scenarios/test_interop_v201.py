"""An OCPP 2.0.1 charge point written with the PyPI `ocpp` client: everything it can say, and everything that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ocpp.v201 import call, call_result

from tests.support import stories_2x
from tests.support.peer import ask, items, metrics_of, peer, settled
from tests.support.platform import RunningPlatform
from tests.support.stories_2x import CERTIFICATE, COMMANDS, WHEN, Story

PROTOCOL = "ocpp2.0.1"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with RunningPlatform(tmp_path_factory.mktemp("v201") / "data") as running:
        yield running


async def test_it_boots_and_shows_its_status(platform: RunningPlatform) -> None:
    """Two plugs of one EVSE have a status each; /metrics shows it under the connector's label."""
    async with peer(platform.url, "BOOT", PROTOCOL) as point:
        booted = await stories_2x.boot(point, PROTOCOL)
        assert booted.status == "Accepted" and booted.interval > 0
        assert (await point.call(call.Heartbeat())).current_time.endswith("Z")
        for connector_id, status in ((1, "Occupied"), (2, "Unavailable")):
            await point.call(call.StatusNotification(timestamp=WHEN, connector_status=status, evse_id=1, connector_id=connector_id))
        await settled(platform)
        shown = {row["connector"]: row["status"] for row in await items(platform, "connectors", charge_point="BOOT")}
        assert shown == {"1": "Occupied", "1.2": "Unavailable"}
        lines = await metrics_of(platform, "BOOT")
        assert 'chargewatch_connector_status{site="",charge_point="BOOT",connector="1.2",status="Unavailable"} 1' in lines


async def test_it_charges(platform: RunningPlatform) -> None:
    """A whole transaction; repeated events are answered again and counted once."""
    await stories_2x.charges(platform, PROTOCOL)


async def test_it_reports(platform: RunningPlatform) -> None:
    """Readings, firmware, logs, security events, vendor data and variables."""
    await stories_2x.reports(platform, PROTOCOL)


@pytest.mark.parametrize("story", COMMANDS, ids=stories_2x.named(COMMANDS))
async def test_a_typed_command_is_sent_and_its_answer_read(platform: RunningPlatform, story: Story) -> None:
    """The call as 2.0.1 wants it; consent, refusal and a call error are three different outcomes."""
    await stories_2x.is_carried_out(platform, PROTOCOL, story)


RAW: list[tuple[str, dict[str, Any], Any]] = [
    ("ClearCache", {}, call_result.ClearCache(status="Accepted")),
    ("GetLocalListVersion", {}, call_result.GetLocalListVersion(version_number=7)),
    ("GetTransactionStatus", {"transactionId": "T"}, call_result.GetTransactionStatus(messages_in_queue=False)),
    ("CostUpdated", {"totalCost": 1.5, "transactionId": "T"}, call_result.CostUpdated()),
    ("CertificateSigned", {"certificateChain": CERTIFICATE}, call_result.CertificateSigned(status="Accepted")),
    ("GetReport", {"requestId": 4}, call_result.GetReport(status="EmptyResultSet")),
    ("SetMonitoringBase", {"monitoringBase": "All"}, call_result.SetMonitoringBase(status="Accepted")),
    ("GetChargingProfiles", {"requestId": 1, "chargingProfile": {}}, call_result.GetChargingProfiles(status="NoProfiles")),
]


@pytest.mark.parametrize(("action", "payload", "result"), RAW, ids=[action for action, *_ in RAW])
async def test_any_action_can_be_called_by_its_name(
    platform: RunningPlatform, action: str, payload: dict[str, Any], result: Any
) -> None:
    """The payload goes out as given, and the charge point's whole answer comes back."""
    async with peer(platform.url, "RAW", PROTOCOL) as point:
        point.results[action] = result
        status, outcome = await ask(platform, "RAW", (action, payload))
        assert (status, outcome["status"]) == (200, "accepted"), outcome
        assert point.asked == [(action, payload)]


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("ChangeConfiguration", {"key": "a", "value": "b"}), "OCPP 2.0.1"),
        (("NotifyReport", {}), "charge point"),
        (("Reset", {"type": "Hard"}), "Hard"),
        ({"type": "SetVariable", "name": "HeartbeatInterval", "value": "60"}, "Component"),
        ({"type": "RemoteStop", "transaction_id": "T" * 37}, "36"),
    ],
)
async def test_what_2_0_1_cannot_say_never_leaves(platform: RunningPlatform, command: Any, word: str) -> None:
    """422 with the reason; the charge point hears nothing."""
    async with peer(platform.url, "WRONG", PROTOCOL) as point:
        status, outcome = await ask(platform, "WRONG", command)
        assert (status, outcome["status"]) == (422, "error")
        assert word in outcome["detail"], outcome
        assert point.asked == []
