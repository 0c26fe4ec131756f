"""The disk of the data folder fills up under a running platform: nothing is acknowledged that is not kept, and it recovers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from chargenet.journal import SegmentJournal
from tests.support.deliveries import client, everything, health, recovered, until
from tests.support.platform import RunningPlatform
from tests.support.raw import RawPoint, raw

FLOOR = 16 << 20
FLOOD = 300
PADDING = "x" * 3000
"""What a call carries so that it does not fit into what is left of the journal's last block."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small tmpfs needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", folder], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not permitted here: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


class Ballast:
    """Other people's files on the same disk."""

    def __init__(self, disk: Path, floor: int) -> None:
        self._disk, self._file, self._floor = disk, disk / "ballast", floor

    def fill(self) -> None:
        """Leave less than the floor; nothing at all where there is no floor."""
        with self._file.open("wb", buffering=0) as file:
            while (free := self._free()) and free >= self._floor:
                file.write(bytes(min(1 << 20, free)))

    def remove(self) -> None:
        self._file.unlink()

    def _free(self) -> int:
        status = os.statvfs(self._disk)
        return status.f_bavail * status.f_frsize


def settings(tmp_path: Path, floor: int) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(f"[journal]\nfree_space_floor_bytes = {floor}\nsegment_bytes = 1048576\n")
    return file


def start(number: int) -> dict[str, Any]:
    """A StartTransaction, longer than the schema knows (a deviation, which is kept)."""
    at = f"2026-03-01T00:00:{number:02d}Z"
    return {"connectorId": number, "idTag": "T", "meterStart": number, "timestamp": at, "padding": PADDING}


@pytest.mark.parametrize("floor", [FLOOR, 0], ids=["below the floor", "to the last byte"])
async def test_a_full_disk_and_space_again(tmp_path: Path, disk: Path, floor: int) -> None:
    """Full: silence, not an answer. Space again: the same call is acknowledged as new, on the connection that waited."""
    file, ballast = settings(tmp_path, floor), Ballast(disk, floor)
    with RunningPlatform(disk / "data", "--config", str(file)) as platform:
        async with client(platform) as api, raw(platform.url, "CP-1") as point, raw(platform.url, "CP-2") as flooding:
            kept = (await point.call("StartTransaction", start(1), "kept"))[2]["transactionId"]
            assert await flooding.is_served()
            await asyncio.to_thread(ballast.fill)
            await is_not_acknowledged(api, point)
            for number in range(FLOOD):
                await flooding.send_frame(2, "StatusNotification", status(number))
            await says_why(api)
            await asyncio.to_thread(the_doctor_says_so, platform, file)
            await no_newcomer(platform)
            assert point.connection.close_code is None and flooding.connection.close_code is None, "who is connected stays so"
            await asyncio.to_thread(ballast.remove)
            await until(lambda: ready(api))
            await goes_on(api, point, kept)
            await flooded_in_order(flooding)
            await recovered(api)
            assert sorted(row["connected"] for row in await states(api)) == [True, True], "and nobody else"
        assert platform.stop() == 0
    nothing_is_corrupted(disk / "data")


def status(number: int) -> dict[str, Any]:
    at = f"2026-03-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z"
    return {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": str(number), "timestamp": at}


async def ready(api: httpx.AsyncClient) -> bool:
    return (await api.get("/readyz")).status_code == 200


async def is_not_acknowledged(api: httpx.AsyncClient, point: RawPoint) -> None:
    """Its call meets a full disk, however the journal learns of that."""
    await until_full(api)
    await point.say(json.dumps([2, "lost", "StartTransaction", start(2)]))
    with pytest.raises(TimeoutError):
        await point.hear(2)


async def until_full(api: httpx.AsyncClient) -> None:
    """Wait for the journal's own look at the floor; where there is none, the first write finds out."""
    for _ in range(40):
        if not await ready(api):
            return
        await asyncio.sleep(0.05)


async def says_why(api: httpx.AsyncClient) -> None:
    """Not ready, with the reason; what only reads goes on."""
    answer = await api.get("/readyz")
    assert answer.status_code == 503, answer.text
    (reason,) = answer.json()["reasons"]
    assert reason.startswith("journal: No space left on device"), reason
    checks = await health(api)
    assert not checks["journal"]["ok"] and checks["journal"]["critical"] and not checks["disk"]["ok"]
    assert [frame["message_id"] for frame in await everything(api, "/api/v1/charge-points/CP-1/frames") if frame["action"]] == [
        "kept"
    ]


def the_doctor_says_so(platform: RunningPlatform, file: Path) -> None:
    """`chargewatch doctor` finds the disk and the journal wrong."""
    done = subprocess.run(
        [sys.executable, "-m", "chargewatch", "doctor", "--data", str(platform.data), "--config", str(file), "--json"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    wrong = {finding["what"]: finding["detail"] for finding in json.loads(done.stdout) if finding["ok"] is False}
    assert wrong.keys() >= {"disk", "journal"} and "No space left on device" in wrong["journal"], wrong


async def no_newcomer(platform: RunningPlatform) -> None:
    """A connection that could not be recorded is closed with a reason, and hears nothing else."""
    async with raw(platform.url, "CP-NEW") as point:
        with pytest.raises(websockets.ConnectionClosed):
            await point.is_served()
        assert (point.connection.close_code, point.connection.close_reason) == (1011, "the server cannot keep records now")


async def goes_on(api: httpx.AsyncClient, point: RawPoint, kept: int) -> None:
    """The call that was never acknowledged is new; one that was acknowledged before is still known as repeated."""
    reply = await point.call("StartTransaction", start(2), "lost")
    assert reply[0] == 3 and reply[2]["transactionId"] > kept
    assert (await point.call("StartTransaction", start(1), "again"))[2]["transactionId"] == kept
    await recovered(api)
    frames = await everything(api, "/api/v1/charge-points/CP-1/frames")
    flags = {frame["message_id"]: frame["flags"] for frame in frames if frame["action"] == "StartTransaction"}
    assert flags.keys() == {"kept", "lost", "again"}
    assert "repeated" not in flags["kept"] + flags["lost"] and "repeated" in flags["again"]
    shown = await everything(api, "/api/v1/transactions", charge_point="CP-1")
    assert sorted(int(each["transaction"]["transaction_id"]) for each in shown) == [kept, reply[2]["transactionId"]]


async def flooded_in_order(point: RawPoint) -> None:
    """What had not been read is read now and answered in order; what was read and lost is never answered. It is served again."""
    await point.send_frame(2, "Heartbeat", {})
    answered = []
    while True:
        kind, ident, _ = await point.hear()
        assert kind == 3
        answered.append(int(ident[1:]))
        if ident == f"m{FLOOD + 2}":
            break
    assert answered == sorted(set(answered))


async def states(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    return [row["state"] for row in await everything(api, "/api/v1/charge-points") if row["state"]]


def nothing_is_corrupted(data: Path) -> None:
    """The journal has every record once, and no damage."""
    journal = SegmentJournal.open(data / "journal", read_only=True)
    sequences: list[int] = []
    while records := journal.read(sequences[-1] if sequences else 0, 1000):
        sequences += [record.sequence for record in records]
    assert sequences == list(range(1, len(sequences) + 1)) and not journal.damage()


async def test_a_connection_ends_while_the_disk_is_full(tmp_path: Path, disk: Path) -> None:
    """Its end cannot be recorded when it comes; it is once there is space, so nobody is shown as connected who is gone."""
    file, ballast = settings(tmp_path, FLOOR), Ballast(disk, FLOOR)
    with RunningPlatform(disk / "data", "--config", str(file)) as platform:
        async with client(platform) as api, raw(platform.url, "GONE") as gone, raw(platform.url, "STAYS") as stays:
            assert await gone.is_served() and await stays.is_served()
            await recovered(api)
            await asyncio.to_thread(ballast.fill)
            await until_full(api)
            await gone.connection.close()
            await asyncio.to_thread(ballast.remove)
            await until(lambda: shown_connected(api, {"STAYS"}))
            assert await stays.is_served()


async def shown_connected(api: httpx.AsyncClient, expected: set[str]) -> bool:
    return {row["charge_point_id"] for row in await states(api) if row["connected"]} == expected


async def test_started_on_a_full_disk(tmp_path: Path, disk: Path) -> None:
    """Below the floor it starts, says that it is not ready, and serves as soon as there is space."""
    file, ballast = settings(tmp_path, FLOOR), Ballast(disk, FLOOR)
    with RunningPlatform(disk / "data", "--config", str(file)) as platform:
        async with raw(platform.url, "CP-1") as point:
            kept = (await point.call("StartTransaction", start(1)))[2]["transactionId"]
        await asyncio.to_thread(platform.kill)
        await asyncio.to_thread(ballast.fill)
        await asyncio.to_thread(platform.start)
        async with client(platform) as api:
            await until_full(api)
            await says_why_at_start(api)
            await asyncio.to_thread(ballast.remove)
            await until(lambda: ready(api))
            async with raw(platform.url, "CP-1") as point:
                assert (await point.call("StartTransaction", start(1)))[2]["transactionId"] == kept
                assert (await point.call("StartTransaction", start(2)))[2]["transactionId"] > kept
        assert platform.stop() == 0


async def says_why_at_start(api: httpx.AsyncClient) -> None:
    answer = await api.get("/readyz")
    assert answer.status_code == 503 and "No space left on device" in answer.text, answer.text
