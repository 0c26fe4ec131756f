"""A network that comes back all at once, and a charge point that talks too much: everybody is served, nobody is refused."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from chargenet.journal import SegmentJournal
from chargenet.model.words import RecordKind
from tests.support.backlog_storm import CALLS, REGISTER_STEP_WH
from tests.support.deliveries import client, everything, recovered
from tests.support.platform import RunningPlatform
from tests.support.raw import raw

CHARGE_POINTS = 500
GROWTH_LIMIT = 160 << 20
"""Bytes that 500 charge points and 10,000 calls may add, caches of the stores included; measured: 70 MB."""


def memory_bytes(platform: RunningPlatform) -> int:
    """Resident set size of the server."""
    return int(Path(f"/proc/{platform.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_storm_of_backlogs(tmp_path: Path) -> None:
    """500 charge points connect at once with 20 calls each: every call is answered, once, and kept, once; memory is bounded."""
    with RunningPlatform(tmp_path / "data") as platform:
        before = memory_bytes(platform)
        result = await asyncio.to_thread(storm, platform)
        assert result["wrong"] == 0 and result["calls"] == CHARGE_POINTS * CALLS, result
        async with client(platform) as api:
            await recovered(api)
            await every_transaction_is_there(await everything(api, "/api/v1/transactions"))
        assert memory_bytes(platform) - before < GROWTH_LIMIT
        assert platform.stop() == 0
    journal = SegmentJournal.open(tmp_path / "data" / "journal", read_only=True)
    calls: Counter[str] = Counter()
    position = 0
    while records := journal.read(position, 5000):
        calls.update(record.charge_point_id for record in records if record.kind is RecordKind.CALL)
        position = records[-1].sequence
    assert len(calls) == CHARGE_POINTS and set(calls.values()) == {CALLS}


def storm(platform: RunningPlatform) -> dict[str, Any]:
    """The load, in a process of its own."""
    command = [sys.executable, "-m", "tests.support.backlog_storm", str(platform.ocpp_port), str(CHARGE_POINTS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


async def every_transaction_is_there(shown: list[dict[str, Any]]) -> None:
    """One for each charge point, complete; no id was given twice."""
    rows = [each["transaction"] for each in shown]
    assert len({row["charge_point_id"] for row in rows}) == len(rows) == CHARGE_POINTS
    assert len({row["transaction_id"] for row in rows}) == CHARGE_POINTS
    assert {(row["state"], row["readings"]) for row in rows} == {("stopped", CALLS - 2)}
    assert {each["energy_wh"] for each in shown} == {(CALLS - 1) * REGISTER_STEP_WH}


RATE = 50
CALLS_AT_ONCE = 6 * RATE
PADDING = "x" * 2000
"""Longer than what a transport reads at a time: what has been read is handled, what has not is left to TCP."""


def settings(tmp_path: Path) -> tuple[str, str]:
    file = tmp_path / "settings.toml"
    file.write_text(f"[collector]\nmax_frames_per_s = {RATE}\n")
    return "--config", str(file)


async def test_too_many_frames_a_second_are_read_more_slowly(tmp_path: Path) -> None:
    """300 calls at once where 50 a second are the limit: all are answered, in order, none with an error, but not all at once."""
    with RunningPlatform(tmp_path / "data", *settings(tmp_path)) as platform:
        async with raw(platform.url, "HASTY") as hasty, raw(platform.url, "NEIGHBOUR") as neighbour, client(platform) as api:
            for _ in range(CALLS_AT_ONCE):
                status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": PADDING}
                await hasty.send_frame(2, "StatusNotification", status)
            assert await neighbour.is_served()
            replies = [await hasty.hear() for _ in range(CALLS_AT_ONCE)]
            assert replies == [[3, f"m{number}", {}] for number in range(1, CALLS_AT_ONCE + 1)]
            frames = await everything(api, "/api/v1/charge-points/HASTY/frames")
            taken = sorted(datetime.fromisoformat(frame["received_at"]) for frame in frames if frame["action"])
            assert len(taken) == CALLS_AT_ONCE
            burst, read_at_once = 2 * RATE, 2 * RATE
            late_s = (taken[-1] - taken[0]).total_seconds()
            assert late_s >= (CALLS_AT_ONCE - burst - read_at_once) / RATE, "faster than the limit"


FRAMES, FRAME_BYTES = 300, 200_000


async def test_the_limit_is_back_pressure(tmp_path: Path) -> None:
    """What is too much stays in the charge point's own buffers: TCP makes it wait, and the server does not take it into memory."""
    with RunningPlatform(tmp_path / "data", *settings(tmp_path)) as platform:
        async with raw(platform.url, "FLOOD", close_timeout=0.1) as flood, raw(platform.url, "NEIGHBOUR") as neighbour:
            for _ in range(2 * RATE):
                assert await flood.is_served()
            before = memory_bytes(platform)
            transport = flood.connection.transport
            transport.write(frame(FRAME_BYTES) * FRAMES)
            waiting = await settled_buffer(transport)
            assert waiting > 10_000_000, "the server took it all in"
            assert await neighbour.is_served() and flood.connection.close_code is None
            assert memory_bytes(platform) - before < 30 << 20
            transport.abort()


def frame(size: int) -> bytes:
    """A masked text message with an OCPP call in it."""
    text = json.dumps([2, "big", "DataTransfer", {"vendorId": "v", "data": "x" * size}]).encode()
    return b"\x81\xff" + len(text).to_bytes(8, "big") + b"\0\0\0\0" + text


async def settled_buffer(transport: asyncio.Transport) -> int:
    """Bytes that wait on our side once nothing moves: reading is paused for a while after each frame over the limit."""
    moved = -1
    for _ in range(10):
        await asyncio.sleep(0.05)
        if moved == (moved := transport.get_write_buffer_size()):
            break
    return moved
