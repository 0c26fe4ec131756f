"""kill -9 under load, again and again: what was acknowledged is there, and no transaction is there twice."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import websockets

from chargenet.journal.journal import SegmentJournal
from chargenet.model.words import RecordKind
from tests.support.platform import RunningPlatform
from tests.support.raw import RawPoint, raw

CHARGE_POINTS, KILLS, LOAD_S = 20, 3, 1.5


class Backlog:
    """One charge point's queue, as a real one keeps it: a call stays at its head until it is acknowledged, and is sent again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.acknowledged: list[tuple[str, dict[str, Any]]] = []
        self.transactions: list[int] = []
        self._turn = 0

    def next(self) -> tuple[str, dict[str, Any]]:
        """Start, three readings, stop, and so on; each with an instant of its own."""
        turn, step = divmod(self._turn, 5)
        instant = f"2026-03-{1 + turn // 1440:02d}T{turn // 60 % 24:02d}:{turn % 60:02d}:{step:02d}Z"
        if step == 0:
            return "StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": turn * 1000, "timestamp": instant}
        transaction_id = self.transactions[-1]
        if step == 4:
            return "StopTransaction", {"transactionId": transaction_id, "meterStop": turn * 1000 + 900, "timestamp": instant}
        value = [{"timestamp": instant, "sampledValue": [{"value": str(turn * 1000 + step)}]}]
        return "MeterValues", {"connectorId": 1, "transactionId": transaction_id, "meterValue": value}

    async def deliver(self, point: RawPoint) -> None:
        """Call after call, until the connection ends."""
        while True:
            action, payload = self.next()
            reply = await point.call(action, payload, f"{self.name}-{self._turn}")
            assert reply[0] == 3, reply
            self.acknowledged.append((action, payload))
            if action == "StartTransaction":
                self.transactions.append(reply[2]["transactionId"])
            self._turn += 1


async def load(platform: RunningPlatform, backlogs: list[Backlog]) -> None:
    """All of them deliver until the platform is killed under them."""

    async def one(backlog: Backlog) -> None:
        try:
            async with raw(platform.url, backlog.name, close_timeout=0.1) as point:
                await backlog.deliver(point)
        except (websockets.ConnectionClosed, OSError):
            return  # killed: the unacknowledged call stays at the head of the queue

    async with asyncio.TaskGroup() as tasks:
        for backlog in backlogs:
            tasks.create_task(one(backlog))
        await asyncio.sleep(LOAD_S)
        await asyncio.to_thread(platform.kill)


async def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """Every acknowledged call is in the journal; every started transaction exists once; ids are never given twice."""
    data = tmp_path / "data"
    backlogs = [Backlog(f"KILL-{number}") for number in range(CHARGE_POINTS)]
    platform = RunningPlatform(data)
    for _ in range(KILLS):
        await asyncio.to_thread(platform.start)
        await load(platform, backlogs)
    await asyncio.to_thread(platform.start)
    assert await asyncio.to_thread(platform.stop) == 0
    total = sum(len(backlog.acknowledged) for backlog in backlogs)
    assert total > 1000, f"only {total} calls were acknowledged: no load worth the name"
    kept = calls_in(data)
    for backlog in backlogs:
        missing = [call for call in map(key, backlog.acknowledged) if call not in kept[backlog.name]]
        assert not missing, f"{backlog.name}: acknowledged and lost: {missing[:3]}"
    ids = [transaction_id for backlog in backlogs for transaction_id in backlog.transactions]
    assert len(ids) == len(set(ids)), "a transaction id was given twice"
    doubled = [row for row in platform.cli("transactions", "list", "--limit", "100000") if row["flags"]]
    rows = platform.cli("transactions", "list", "--limit", "100000")
    begun = {(row["charge_point_id"], row["start_register_wh"]) for row in rows}
    assert len(begun) == len(rows), f"a transaction is there twice: {doubled[:3]}"


def key(call: tuple[str, dict[str, Any]]) -> str:
    return json.dumps(call, sort_keys=True)


def calls_in(data: Path) -> dict[str, set[str]]:
    """Every call in the journal, by charge point."""
    journal = SegmentJournal.open(data / "journal", read_only=True)
    found: dict[str, set[str]] = {}
    position = 0
    while records := journal.read(position, 1000):
        for record in records:
            if record.kind is RecordKind.CALL:
                _, _, action, payload = json.loads(record.frame)
                found.setdefault(record.charge_point_id, set()).add(key((action, payload)))
        position = records[-1].sequence
    assert not journal.damage()
    return found
