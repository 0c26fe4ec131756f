"""What /metrics answers: the fleet's cached lines, then the platform's own families, in the Prometheus text format 0.0.4."""

from __future__ import annotations

import asyncio
import zlib

from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Exposition:
    """Writes the whole exposition. Scrapes take turns, so that many scrapers cost no more memory than one."""

    def __init__(self, fleet: FleetMetrics, platform: PlatformMetrics, clock: Clock) -> None:
        self._fleet, self._platform, self._clock = fleet, platform, clock
        self._turn = asyncio.Lock()

    async def body(self) -> bytes:
        """The text, for `CONTENT_TYPE`. The event loop is never held for long while it is made."""
        async with self._turn:
            began = self._clock.monotonic()
            fleet = await self._fleet.render(self._clock.now_us() / 1e6)
            self._platform.fleet_rendered(self._fleet.series, self._clock.monotonic() - began)
            return fleet + self._platform.text()

    async def gzipped(self) -> bytes:
        """The same for `Content-Encoding: gzip`; compressed in a worker thread, at the level that costs least."""
        body = await self.body()
        return await asyncio.to_thread(zlib.compress, body, 1, zlib.MAX_WBITS | 16)
