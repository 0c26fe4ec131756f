"""The only place where the product looks at a clock. Everything else is handed `now`."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)

    def now_us(self) -> int:
        """UTC microseconds since the epoch, for the hot path."""
        return time.time_ns() // 1000

    monotonic = staticmethod(time.monotonic)
    """Seconds that only grow. The function itself: it is asked three times for each message."""
