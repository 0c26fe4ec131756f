"""`chargewatch rebuild`: read models are thrown away and come back from the journal exactly as they were."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.scenarios.test_kill9 import Backlog
from tests.support.platform import RunningPlatform
from tests.support.raw import raw


async def test_a_rebuild_gives_back_the_same_read_models(tmp_path: Path) -> None:
    """Live traffic, a look at everything, a rebuild from the journal, and everything looks the same."""
    data = tmp_path / "data"
    with RunningPlatform(data) as platform:
        async with raw(platform.url, "CP-1") as point:
            await point.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M", "firmwareVersion": "1"})
            await point.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging"})
            await point.call("StopTransaction", {"transactionId": -1, "meterStop": 1, "timestamp": "2026-01-01T00:00:00Z"})
            backlog = Backlog("CP-1")
            for _ in range(60):
                action, payload = backlog.next()
                reply = await point.call(action, payload)
                if action == "StartTransaction":
                    backlog.transactions.append(reply[2]["transactionId"])
                backlog._turn += 1
        await asyncio.to_thread(platform.stop)
        before = look(platform)
        rebuilt = await asyncio.to_thread(rebuild, data)
        assert rebuilt.returncode == 0, rebuilt.stderr
        assert "rebuilt from" in rebuilt.stdout
        assert look(platform) == before


def rebuild(data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "chargewatch", "rebuild", "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def look(platform: RunningPlatform) -> dict[str, Any]:
    """What the commands show of the folder while nothing runs."""
    return {
        "transactions": platform.cli("transactions", "list", "--limit", "1000"),
        "quarantine": platform.cli("transactions", "quarantine"),
        "charge points": platform.cli("charge-points", "list"),
        "one": platform.cli("charge-points", "show", "CP-1"),
    }
