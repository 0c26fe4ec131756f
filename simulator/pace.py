"""Time for a simulated network: real instants, and durations that `speed` makes shorter."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from chargenet.ports import Clock


class Pace:
    """`speed` 10: what takes people ten minutes takes one."""

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        self.clock, self.speed = clock, speed

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` of the network's life pass."""
        await asyncio.sleep(seconds / self.speed)

    def real(self, seconds: float) -> float:
        """Real seconds that `seconds` of the network's life take."""
        return seconds / self.speed


class DeviceClock:
    """A charge point's own clock: wrong by `offset_s`, and by `drift` more seconds each second. Good ones are set by the server."""

    def __init__(self, clock: Clock, offset_s: float = 0.0, drift: float = 0.0) -> None:
        self._clock, self._offset_s, self._drift = clock, offset_s, drift
        self._began = clock.monotonic()

    def now(self) -> datetime:
        """What it believes."""
        return self._clock.now() + timedelta(seconds=self._offset_s + self._drift * (self._clock.monotonic() - self._began))
