"""The story to read first: one charge point's day, from boot to bill-worthy evidence, with a power cut in the middle.

The charge point is written with the PyPI `ocpp` client; the platform is the real program in a process of its own. What the station
said is found again at every place where an operator would look: the message log, the API, the metrics, the telemetry.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.support.platform import RunningPlatform, not_settled
from tests.support.station import connected

CP = "STATION 7"


async def test_a_day_at_the_station(tmp_path: Path) -> None:
    """It boots, charges, is reset, uploads diagnostics, survives kill -9 of the platform, and nothing that it said is lost."""
    with RunningPlatform(tmp_path / "data") as platform:
        transaction_id = await morning(platform)
        platform.kill()
        platform.start()
        await afternoon(platform, transaction_id)
        await asyncio.to_thread(look_everywhere, platform, str(transaction_id))
        assert platform.stop() == 0, "SIGTERM drains and ends with exit code 0"


async def morning(platform: RunningPlatform) -> int:
    """Boot, plug in, start charging; a remote reset and a diagnostics upload meanwhile."""
    async with connected(platform.url, "STATION%207") as station:
        booted = await station.boot()
        assert booted.status == "Accepted" and booted.interval > 0
        await station.status("Available", 0)
        await station.status("Preparing", 1)
        transaction_id = await station.begin("TAG-1", 10_000, 2)
        assert transaction_id > 0
        await station.status("Charging", 2)
        await station.meter(transaction_id, 11_000, 7_200, 10)

        outcome = await asyncio.to_thread(platform.cli, "call", CP, "Reset", '{"type": "Soft"}')
        assert outcome["status"] == "accepted" and station.resets == ["Soft"]

        asked = await asyncio.to_thread(platform.api, "POST", "/api/v1/charge-points/STATION 7/diagnostics", json={})
        assert asked["outcome"]["status"] == "accepted", asked
        await station.upload_diagnostics(b"all is well\n" * 1000)
    return transaction_id


async def afternoon(platform: RunningPlatform, transaction_id: int) -> None:
    """After the power cut the charge point comes back and delivers the rest; a repeated start gives the same transaction."""
    async with connected(platform.url, "STATION%207") as station:
        await station.boot()
        assert await station.begin("TAG-1", 10_000, 2) == transaction_id, "a repeated StartTransaction gives the first answer again"
        await station.meter(transaction_id, 14_000, 7_200, 40)
        stopped = await station.end(transaction_id, 15_500, 55)
        assert stopped.id_tag_info["status"] == "Accepted"
        await station.end(transaction_id, 15_500, 55)
        await station.status("Available", 56)
        await settled(platform)


async def settled(platform: RunningPlatform) -> None:
    """Wait until every read model has seen all that was acknowledged."""
    for _ in range(600):
        behind = not_settled(await asyncio.to_thread(platform.api, "GET", "/api/v1/health"))
        if not behind:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"read models stay behind: {behind}")


def look_everywhere(platform: RunningPlatform, transaction_id: str) -> None:
    """Where an operator would look."""
    in_the_message_log(platform)
    in_the_transactions(platform, transaction_id)
    in_the_metrics(platform)
    in_the_telemetry(platform)
    in_the_diagnostics(platform)


def in_the_message_log(platform: RunningPlatform) -> None:
    frames: list[dict[str, Any]] = platform.cli("frames", CP, "--limit", "1000")
    actions = [frame["action"] for frame in frames if frame["action"]]
    for action, times in {"BootNotification": 2, "StartTransaction": 2, "StopTransaction": 2, "MeterValues": 2, "Reset": 2}.items():
        assert actions.count(action) == times, (action, actions)


def in_the_transactions(platform: RunningPlatform, transaction_id: str) -> None:
    listed = platform.cli("transactions", "list")
    assert len(listed) == 1, "a repeated start and a repeated stop make one transaction"
    row = platform.cli("transactions", "show", CP, transaction_id)
    assert row["transaction_id"] == transaction_id and row["charge_point_id"] == CP
    assert (row["start_register_wh"], row["stop_register_wh"], row["energy_wh"]) == (10_000, 15_500, 5_500)
    assert row["stop_reason"] == "EVDisconnected"


def in_the_metrics(platform: RunningPlatform) -> None:
    metrics = platform.api("GET", "/metrics")
    assert f'chargewatch_connector_status{{site="",charge_point="{CP}",connector="1",status="Available"}} 1' in metrics
    assert "chargewatch_calls_total" in metrics and "chargewatch_journal_durable_sequence" in metrics


def in_the_telemetry(platform: RunningPlatform) -> None:
    query = {"charge_point": CP, "measurand": "Power.Active.Import", "start": "2026-05-04T00:00:00Z", "end": "2026-05-05T00:00:00Z"}
    answer = platform.api("GET", "/api/v1/telemetry/measurements", params=query)
    values = [sample["value"] for series in answer["items"] for sample in series["samples"]]
    assert values == [7200.0, 7200.0], "kilowatts as said, watts as kept"


def in_the_diagnostics(platform: RunningPlatform) -> None:
    (upload,) = platform.cli("diagnostics", "list")
    assert upload["charge_point_id"] == CP and upload["size_bytes"] == 12_000
