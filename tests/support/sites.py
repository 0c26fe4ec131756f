"""Charge points at sites, living against a platform: they boot, say Available, beat, are cut off and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from tests.support.deliveries import client
from tests.support.platform import RunningPlatform
from tests.support.raw import raw

BEAT_S = 0.5


class LivingPoints:
    """Each is a task that ends when it is cut off."""

    def __init__(self, platform: RunningPlatform, tasks: asyncio.TaskGroup) -> None:
        self._platform, self._tasks = platform, tasks
        self._lives: dict[str, asyncio.Task[None]] = {}

    async def connect(self, names: Iterable[str]) -> None:
        """They are there, and have said that they are Available."""
        booted = []
        for name in names:
            ready = asyncio.Event()
            self._lives[name] = self._tasks.create_task(self._live(name, ready))
            booted.append(ready)
        async with asyncio.timeout(30):
            for ready in booted:
                await ready.wait()

    async def cut_off(self, names: Iterable[str]) -> None:
        """Without a goodbye."""
        gone = [self._lives.pop(name) for name in names]
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)

    async def end(self) -> None:
        await self.cut_off(list(self._lives))

    async def _live(self, name: str, ready: asyncio.Event) -> None:
        async with raw(self._platform.url, name, close_timeout=0.1) as point:
            await point.call("BootNotification", {"chargePointVendor": "Alfen", "chargePointModel": "Eve"})
            plug = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
            await point.call("StatusNotification", plug)
            ready.set()
            while True:
                await point.call("Heartbeat", {})
                await asyncio.sleep(BEAT_S)


@asynccontextmanager
async def living(platform: RunningPlatform, sites: dict[str, list[str]]) -> AsyncIterator[LivingPoints]:
    """Registered at their sites, and connected, inside this block."""
    async with client(platform) as api:
        for site_id, names in sites.items():
            assert (await api.put(f"/api/v1/sites/{site_id}", json={"name": site_id.title()})).is_success
            bodies = [{"charge_point_id": name, "site_id": site_id} for name in names]
            answers = await asyncio.gather(*(api.post("/api/v1/charge-points", json=body) for body in bodies))
            assert all(answer.is_success for answer in answers)
    async with asyncio.TaskGroup() as tasks:
        points = LivingPoints(platform, tasks)
        await points.connect([name for names in sites.values() for name in names])
        try:
            yield points
        finally:
            await points.end()
