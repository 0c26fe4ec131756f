"""kill -9 while a charge point is connected: after the restart it is shown as disconnected until it comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.support.platform import RunningPlatform
from tests.support.station import connected


async def shown(platform: RunningPlatform, connected: bool) -> bool:
    """Does the API come to say so within a few seconds?"""
    for _ in range(300):
        rows = (await asyncio.to_thread(platform.api, "GET", "/api/v1/charge-points"))["items"]
        if [row["state"]["connected"] for row in rows if row["charge_point_id"] == "CP1"] == [connected]:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_a_charge_point_that_does_not_come_back_is_shown_as_disconnected(tmp_path: Path) -> None:
    """Its connection broke with the collector; nobody else will ever report that."""
    with RunningPlatform(tmp_path / "data") as platform:
        async with connected(platform.url, "CP1") as station:
            await station.boot()
            assert await shown(platform, True)
            platform.kill()
        platform.start()
        assert await shown(platform, False)
        async with connected(platform.url, "CP1") as station:
            await station.boot()
            assert await shown(platform, True)
