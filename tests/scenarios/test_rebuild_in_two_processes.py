"""A rebuild beside which the telemetry is made in a process of its own: the same read models, and one end for both."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pytest

from chargenet.clock import SystemClock
from chargenet.errors import ChargewatchError, Unavailable
from chargenet.journal import SegmentJournal
from chargenet.model.record import NO_DECISION, Decision
from chargenet.model.words import RecordKind
from chargenet.settings import Settings
from chargewatch.rebuilding import rebuild

MODELS = (
    "charge_points",
    "connectors",
    "charge_point_events",
    "transactions",
    "connector_spans",
    "hourly_rollups",
    "rollup_points",
)


async def data_folder(folder: Path, records: int) -> Settings:
    """A journal in which 30 charge points connect, boot, report, and measure."""
    journal = SegmentJournal.open(folder / "journal", clock=SystemClock())
    began_us = SystemClock().now_us() - 3_600_000_000  # telemetry forgets what is old
    for count in range(records):
        kind, frame = said(count)
        journal.append(
            received_at_us=began_us + 5_000_000 * count, charge_point_id=f"CP-{count % 30}", protocol="ocpp1.6", kind=kind,
            generation=0 if kind is RecordKind.CONNECTED else 1 + count % 30, frame=json.dumps(frame).encode(),
            decision=Decision(transaction_id=count) if frame[2:3] == ["StartTransaction"] else NO_DECISION,
        )  # fmt: skip
    await asyncio.to_thread(journal.close)
    return Settings(data_dir=folder)


def said(count: int) -> tuple[RecordKind, list[Any]]:
    """Every 30 records it is the same charge point's turn."""
    turn = count // 30
    if turn == 0:
        return RecordKind.CONNECTED, []
    if turn == 1:
        boot = {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": str(count % 3)}
        return RecordKind.CALL, [2, str(count), "BootNotification", boot]
    if turn == 2:
        start = {"connectorId": 1, "idTag": "AA", "meterStart": 900, "timestamp": "2026-01-01T00:00:00Z"}
        return RecordKind.CALL, [2, str(count), "StartTransaction", start]
    if turn % 2:
        status = ("Available", "Charging", "Faulted")[turn % 3]
        return RecordKind.CALL, [2, str(count), "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status}]
    values = [{"value": str(1000 + count)}, {"value": "7000", "measurand": "Power.Active.Import", "unit": "W"}]
    meter = {"connectorId": 1, "meterValue": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": values}]}
    return RecordKind.CALL, [2, str(count), "MeterValues", meter]


def everything(folder: Path) -> dict[str, list[Any]]:
    """All rows of all read models, and the positions that they are at."""
    database = sqlite3.connect(folder / "chargewatch.sqlite")
    rows = {table: sorted(database.execute(f"SELECT * FROM {table}").fetchall(), key=repr) for table in (*MODELS, "cursors")}
    database.close()
    with duckdb.connect(str(folder / "telemetry.duckdb"), read_only=True) as telemetry:
        for table in ("series", "samples", "states", "progress"):
            rows[table] = sorted(telemetry.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
    return rows


def nothing(name: str, position: int, last: int) -> None:
    """No bar."""


async def test_two_processes_make_what_one_makes(tmp_path: Path) -> None:
    """The rows of every table, with their positions; each read model is told to have reached the end."""
    settings = await data_folder(tmp_path, 600)
    assert await rebuild(settings, nothing, apart=False) == 600
    one = await asyncio.to_thread(everything, tmp_path)
    reached: dict[str, int] = {}
    assert await rebuild(settings, lambda name, position, last: reached.update({name: position}), apart=True) == 600
    assert await asyncio.to_thread(everything, tmp_path) == one
    assert all(one.values())
    assert reached == dict.fromkeys(["stations", "transactions", "rollups", "telemetry"], 600)


async def test_what_one_cannot_do_ends_both(tmp_path: Path) -> None:
    """A telemetry file that is none: its own word, no process left, and the next rebuild after its removal makes everything."""
    settings = await data_folder(tmp_path, 60)
    (tmp_path / "telemetry.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match=r"telemetry store is unavailable: .*telemetry\.duckdb"):
        await rebuild(settings, nothing, apart=True)
    assert multiprocessing.active_children() == []
    (tmp_path / "telemetry.duckdb").unlink()
    assert await rebuild(settings, nothing, apart=True) == 60


async def test_a_rebuild_that_is_stopped_or_loses_its_process_ends_and_can_be_repeated(tmp_path: Path) -> None:
    """Cancelled as Ctrl-C does it, or its process killed: nothing is left running, and the next one gives the same rows."""
    settings = await data_folder(tmp_path, 90)
    await rebuild(settings, nothing, apart=False)
    whole = await asyncio.to_thread(everything, tmp_path)

    async def begun() -> asyncio.Task[int]:
        running = asyncio.ensure_future(rebuild(settings, nothing, apart=True))
        while not multiprocessing.active_children():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.005)
        return running

    running = await begun()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert multiprocessing.active_children() == []

    running = await begun()
    for process in multiprocessing.active_children():
        process.kill()
    with pytest.raises(ChargewatchError, match="the process that rebuilds the telemetry ended with status -9"):
        await running

    await rebuild(settings, nothing, apart=True)
    assert await asyncio.to_thread(everything, tmp_path) == whole
