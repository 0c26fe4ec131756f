"""Charge points whose clocks are wrong: both times are kept, ours decides where theirs cannot be true, nothing runs backwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.support.deliveries import client, everything, recovered
from tests.support.platform import RunningPlatform
from tests.support.raw import RawPoint, raw

REGISTERS = (10_000, 11_000, 12_500, 14_000)
"""At the start, in two readings, at the stop: Wh."""
STEP = timedelta(minutes=15)
NEAR = timedelta(minutes=2)
"""How far our own instants may be from this test's."""


@dataclass(frozen=True)
class Wrong:
    """A clock: what it shows when asked the n-th time, `now` being the truth; and what must come of it."""

    name: str
    shows: Callable[[datetime, int], datetime]
    clock: str
    """Whose clock the transaction is billed by."""
    flag: str | None = None
    quirk: str | None = None
    telemetry: str = "device"
    """Whose clock orders its readings."""


CLOCKS = (
    Wrong("RIGHT", lambda now, n: now - STEP * (3 - n), "device"),
    Wrong("NEVER-SET", lambda now, n: datetime(1970, 1, 1, tzinfo=UTC) + STEP * n, "ours", "clock_absurd", "clock-unset", "ours"),
    Wrong("LOCAL-EAST", lambda now, n: now + timedelta(hours=2) - STEP * (3 - n), "ours", "clock_absurd", telemetry="ours"),
    Wrong("LOCAL-WEST", lambda now, n: now - timedelta(hours=5) - STEP * (3 - n), "device"),
    Wrong("BACKLOG", lambda now, n: now - timedelta(days=4) + STEP * n, "device"),
    Wrong("FUTURE", lambda now, n: now + timedelta(days=400) + STEP * n, "ours", "clock_absurd", telemetry="ours"),
    Wrong("SET-BACK", lambda now, n: now - timedelta(hours=1) - STEP * n, "ours", "clock_backwards"),
    Wrong(
        "SET-LATE",
        lambda now, n: datetime(2000, 1, 1, tzinfo=UTC) if n == 0 else now - STEP * (3 - n),
        "ours",
        "clock_absurd",
        "clock-unset",
    ),
)
PROTOCOLS = ("ocpp1.6", "ocpp2.0.1")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    with RunningPlatform(tmp_path_factory.mktemp("clocks") / "data") as running:
        yield running


def text(at: datetime) -> str:
    """As a charge point writes it: Z, whatever it means."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def charge_v16(point: RawPoint, times: list[str]) -> str:
    """A transaction by four instants of its clock; its id."""
    start = {"connectorId": 1, "idTag": "T", "meterStart": REGISTERS[0], "timestamp": times[0]}
    ident = (await point.call("StartTransaction", start))[2]["transactionId"]
    for at, register in zip(times[1:3], REGISTERS[1:3], strict=True):
        value = [{"timestamp": at, "sampledValue": [{"value": str(register)}]}]
        assert (await point.call("MeterValues", {"connectorId": 1, "transactionId": ident, "meterValue": value}))[0] == 3
    stop = {"transactionId": ident, "meterStop": REGISTERS[3], "timestamp": times[3], "reason": "Local"}
    assert (await point.call("StopTransaction", stop))[0] == 3
    return str(ident)


async def charge_v201(point: RawPoint, times: list[str]) -> str:
    """The same in 2.0.1."""
    kinds = (
        ("Started", "CablePluggedIn"),
        ("Updated", "MeterValuePeriodic"),
        ("Updated", "MeterValuePeriodic"),
        ("Ended", "EVDeparted"),
    )
    for number, ((kind, trigger), at, register) in enumerate(zip(kinds, times, REGISTERS, strict=True)):
        context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
        sampled = {"value": register, "measurand": "Energy.Active.Import.Register", "context": context}
        event: dict[str, Any] = {
            "eventType": kind, "timestamp": at, "triggerReason": trigger, "seqNo": number,
            "transactionInfo": {"transactionId": "t-1"}, "evse": {"id": 1, "connectorId": 1},
            "meterValue": [{"timestamp": at, "sampledValue": [sampled]}],
        }  # fmt: skip
        assert (await point.call("TransactionEvent", event))[0] == 3
    return "t-1"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("wrong", CLOCKS, ids=[wrong.name.lower() for wrong in CLOCKS])
async def test_a_transaction_by_a_wrong_clock(platform: RunningPlatform, wrong: Wrong, protocol: str) -> None:
    """Its energy is right, its duration is not negative, both clocks are there, and what is odd is flagged."""
    name = f"{wrong.name}-{protocol}"
    now = datetime.now(UTC).replace(microsecond=0)
    said = [wrong.shows(now, number) for number in range(4)]
    async with raw(platform.url, name, protocol) as point, client(platform) as api:
        charge = charge_v16 if protocol == "ocpp1.6" else charge_v201
        ident = await charge(point, [text(at) for at in said])
        await recovered(api)
        shown = (await api.get(f"/api/v1/charge-points/{name}/transactions/{ident}")).json()
        both_clocks_are_kept(shown["transaction"], said, now)
        assert shown["energy_wh"] == REGISTERS[3] - REGISTERS[0]
        assert shown["duration_s"] >= 0
        if wrong.clock == "device":
            assert shown["duration_s"] == (said[3] - said[0]).total_seconds()
        assert shown["transaction"]["clock"] == wrong.clock
        assert shown["transaction"]["flags"] == ([wrong.flag] if wrong.flag else [])
        await the_message_log_says_so(api, name, wrong, said)
        await telemetry_is_in_order(api, name, protocol, wrong, said, now)
    await asyncio.to_thread(the_command_line_says_so, platform, name, wrong)


def when(row: dict[str, Any], key: str) -> datetime:
    return datetime.fromisoformat(row[key])


def both_clocks_are_kept(row: dict[str, Any], said: list[datetime], now: datetime) -> None:
    """Theirs as said, ours as it was; what is billed by lies in between."""
    assert (when(row, "started_at"), when(row, "stopped_at")) == (said[0], said[3])
    for key in ("start_received_at", "stop_received_at"):
        assert abs(when(row, key) - now) < NEAR
    assert when(row, "began_at") <= when(row, "ended_at") < now + NEAR


async def the_message_log_says_so(api: httpx.AsyncClient, name: str, wrong: Wrong, said: list[datetime]) -> None:
    """Each frame with its own word and our instant; the quirk's name where a clock was never set."""
    frames = [frame for frame in await everything(api, f"/api/v1/charge-points/{name}/frames") if frame["action"]]
    assert len(frames) == 4 and all(frame["received_at"] for frame in frames)
    assert text(said[0]) in str(frames[-1]["payload"]) and text(said[3]) in str(frames[0]["payload"])
    flagged = {flag for frame in frames for flag in frame["flags"]}
    assert (wrong.quirk in flagged) if wrong.quirk else ("clock-unset" not in flagged), flagged


async def telemetry_is_in_order(
    api: httpx.AsyncClient, name: str, protocol: str, wrong: Wrong, said: list[datetime], now: datetime
) -> None:
    """By our clock, registers grow; by theirs, each reading is where it was measured."""
    query = {"charge_point": name, "start": text(now - timedelta(days=3000)), "end": text(now + timedelta(days=600))}
    samples = []
    for series in (await api.get("/api/v1/telemetry/measurements", params=query)).json()["items"]:
        if series["labels"]["context"] == "Sample.Periodic":
            samples = [(when(sample, "measured_at"), sample["value"]) for sample in series["samples"]]
    assert sorted(value for _, value in samples) == list(REGISTERS[1:3])
    if wrong.telemetry == "ours":
        assert [value for _, value in samples] == list(REGISTERS[1:3])
        assert all(abs(at - now) < NEAR for at, _ in samples)
    else:
        assert dict(samples) == dict(zip(said[1:3], REGISTERS[1:3], strict=True))


def the_command_line_says_so(platform: RunningPlatform, name: str, wrong: Wrong) -> None:
    """`transactions list --flag` finds it, and only where it is flagged."""
    listed = platform.cli("transactions", "list", "--charge-point", name, "--flag", wrong.flag or "clock_absurd")
    assert len(listed) == (wrong.flag is not None)


async def test_a_status_from_a_wrong_clock_is_still_the_last_one(platform: RunningPlatform) -> None:
    """The newest report counts as it came, also when its clock says that it is from 1970; it is live, not a backlog."""
    async with raw(platform.url, "STATUS") as point, client(platform) as api:
        now = datetime.now(UTC)
        for status, at in (("Available", text(now)), ("Charging", "1970-01-01T00:00:07Z")):
            report = {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": at}
            assert (await point.call("StatusNotification", report))[0] == 3
        await recovered(api)
        (row,) = await everything(api, "/api/v1/connectors", charge_point="STATUS")
        assert row["status"] == "Charging" and abs(when(row, "received_at") - now) < NEAR
        metrics = (await api.get("/metrics")).text
        assert 'chargewatch_connector_status{site="",charge_point="STATUS",connector="1",status="Charging"} 1' in metrics
        query = {"charge_point": "STATUS", "kind": "status", "start": text(now - NEAR), "end": text(now + NEAR)}
        states = (await api.get("/api/v1/telemetry/states", params=query)).json()["items"]
        assert [state["value"] for state in states] == ["Available", "Charging"]
