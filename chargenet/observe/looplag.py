"""How late does the event loop wake up? The one number that says whether everything else is being served in time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from chargenet.ports import Clock

INTERVAL_S = 0.05
WINDOW_S = 60.0
_STEP_S = 5.0


class LoopLag:
    """Sleeps, and reports by how much each sleep was too long. `observe` takes seconds (PlatformMetrics.loop_lagged)."""

    def __init__(self, clock: Clock, observe: Callable[[float], None], interval_s: float = INTERVAL_S) -> None:
        self._clock, self._observe, self._interval_s = clock, observe, interval_s
        self._steps: deque[tuple[float, float]] = deque(maxlen=int(WINDOW_S / _STEP_S) + 1)
        """(start of a step of the window, worst lag in it), oldest first."""

    async def run(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Measure until cancelled. Give it to a TaskGroup."""
        while True:
            before = self._clock.monotonic()
            await sleep(self._interval_s)
            after = self._clock.monotonic()
            self.record(max(0.0, after - before - self._interval_s), after)

    def record(self, lag_s: float, at: float) -> None:
        """One measurement; `at` is monotonic."""
        self._observe(lag_s)
        start = at - at % _STEP_S
        if self._steps and self._steps[-1][0] == start:
            lag_s = max(lag_s, self._steps.pop()[1])
        self._steps.append((start, lag_s))

    def worst(self) -> float:
        """The worst lag of the last minute, 0 when there was none."""
        oldest = self._clock.monotonic() - WINDOW_S - _STEP_S
        return max((lag for start, lag in self._steps if start > oldest), default=0.0)
