"""Long work on the event loop, in steps. Decided here: how long one step may be.

A fixed count of items would be too long where an item is dear, and too short on a busy loop: when a thousand sockets are served
between two steps, whoever takes in 200 facts a step falls behind what comes in meanwhile, and pays more for catching up.

It reads the machine's own time and no `Clock`: nothing that is decided or stored depends on it, and a step measured by a frozen
clock would never end.
"""

from __future__ import annotations

import asyncio
from time import monotonic

FEW = 32
"""Items between two looks at the clock."""
LEAST_S, MOST_S = 0.001, 0.01
SHARE = 0.1
"""Of what a turn of the loop takes without it. Seven consumers of a tenth each leave the loop to its sockets; of a sixth, not."""


def step_s(turn_s: float) -> float:
    """How long the next step may be, when the loop was away for `turn_s` seconds after the last one."""
    return min(MOST_S, max(LEAST_S, turn_s * SHARE))


class Turns:
    """One piece of long work: `rest` after every few items."""

    __slots__ = ("_began", "_may_s")

    def __init__(self) -> None:
        self._began, self._may_s = monotonic(), LEAST_S

    async def rest(self) -> None:
        """Let the event loop turn, if this step was long enough."""
        ended = monotonic()
        if ended - self._began >= self._may_s:
            await asyncio.sleep(0)
            self._began = monotonic()
            self._may_s = step_s(self._began - ended)
