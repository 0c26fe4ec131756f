"""How fast firmware may leave. Decided here: a cap over all downloads together and one for each, because charge points talk over
the same line. Time is an argument."""

from __future__ import annotations

BURST_S = 0.25
"""What may leave at once after a pause, in seconds of the rate."""


class Pace:
    """Reserves the line for one piece after another. A rate of 0 is no cap."""

    def __init__(self, bytes_per_s: float) -> None:
        self._rate, self._free_at = bytes_per_s, float("-inf")

    def wait_s(self, count: int, now: float) -> float:
        """Reserve `count` bytes; how long to wait before they are sent."""
        if self._rate <= 0:
            return 0.0
        self._free_at = max(self._free_at, now - BURST_S) + count / self._rate
        return max(0.0, self._free_at - now)
