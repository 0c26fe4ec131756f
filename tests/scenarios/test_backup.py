"""`chargewatch backup` of a running platform, and a restore into an empty folder: nothing is lost, and it goes on from there."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from chargenet.settings import load
from chargewatch.backup import restore
from tests.scenarios.test_kill9 import Backlog
from tests.support.platform import RunningPlatform
from tests.support.raw import raw


def backup(data: Path) -> bytes:
    """`chargewatch backup -`, as the compose stack does it."""
    line = [sys.executable, "-m", "chargewatch", "backup", "-", "--data", str(data)]
    done = subprocess.run(line, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def talk(platform: RunningPlatform, turns: int, first: int = 0) -> None:
    """A charge point boots, charges and stops, again and again: a start, three readings and a stop are five turns."""
    async with raw(platform.url, "CP-1") as point:
        await point.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"})
        backlog = Backlog("CP-1")
        backlog._turn = first
        for _ in range(turns):
            action, payload = backlog.next()
            reply = await point.call(action, payload)
            if action == "StartTransaction":
                backlog.transactions.append(reply[2]["transactionId"])
            backlog._turn += 1


async def transactions(platform: RunningPlatform, count: int) -> dict[str, Any]:
    """Every transaction by its id, once there are so many and all have ended: lists follow the journal by a moment."""
    for _ in range(300):
        found = await asyncio.to_thread(known, platform)
        if len(found) >= count and all(stop is not None for _, stop, _ in found.values()):
            return found
        await asyncio.sleep(0.2)
    raise AssertionError(f"{len(found)} transactions, expected {count} that have ended")


def known(platform: RunningPlatform) -> dict[str, Any]:
    """What the platform lists now."""
    page = platform.api("GET", "/api/v1/transactions?limit=1000")
    rows = [row["transaction"] for row in page["items"]]
    return {row["transaction_id"]: (row["started_at"], row["stopped_at"], row["stop_register_wh"]) for row in rows}


@pytest.mark.timeout(300)
async def test_a_running_platform_is_backed_up_and_its_backup_runs(tmp_path: Path) -> None:
    """The backup of a live platform, restored elsewhere, knows every transaction, takes the same key, and goes on."""
    with RunningPlatform(tmp_path / "data") as platform:
        await talk(platform, 60)
        before = await transactions(platform, 12)
        content = await asyncio.to_thread(backup, platform.data)
        key = platform.key
        await asyncio.to_thread(platform.stop)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        names = tar.getnames()
    assert (names[0], names[-1], names[-2].split("/")[0]) == ("chargewatch.sqlite", "manifest.json", "journal")
    assert not [name for name in names if "telemetry" in name or "platform.json" in name]

    settings = load(None, {}, {"data_dir": tmp_path / "restored"})
    await asyncio.to_thread(restore, settings, io.BytesIO(content))
    with RunningPlatform(tmp_path / "restored") as again:
        assert again.key == "", "the restored platform made a first key: its key table was lost"
        again.key = key
        assert await transactions(again, 12) == before
        await talk(again, 5, first=60)
        assert len(await transactions(again, 13)) == 13
        await asyncio.to_thread(again.stop)
