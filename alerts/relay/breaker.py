"""When a receiver that does not answer is left alone. Pure: a state and two questions.

closed ─ 5 failures in a row ─▶ open ─ after the pause ─▶ one try ─ it answers ─▶ closed
                                 ▲                          │ it fails: a pause twice as long
                                 └──────────────────────────┘
"""

from __future__ import annotations

from datetime import datetime, timedelta

FAILURES = 5
FIRST_PAUSE_S, LAST_PAUSE_S = 30.0, 600.0


class Breaker:
    """Of one receiver. Instants are of our clock."""

    def __init__(self) -> None:
        self.failures = 0
        self._until: datetime | None = None
        self._pause_s = FIRST_PAUSE_S

    @property
    def is_open(self) -> bool:
        """It failed so often that it is only tried, one message at a time."""
        return self.failures >= FAILURES

    def closed_until(self, now: datetime) -> datetime | None:
        """Nothing may be sent before this; None: now it may."""
        return self._until if self._until is not None and self._until > now else None

    def answered(self) -> bool:
        """The receiver is there. True when it was not before."""
        recovered, self.failures = self.is_open, 0
        self._until, self._pause_s = None, FIRST_PAUSE_S
        return recovered

    def failed(self, now: datetime, retry_after_s: float | None) -> None:
        """It did not answer, or asked to be left alone for a while."""
        self.failures += 1
        if self.is_open:
            self._until = now + timedelta(seconds=self._pause_s)
            self._pause_s = min(LAST_PAUSE_S, 2 * self._pause_s)
        if retry_after_s:
            asked = now + timedelta(seconds=retry_after_s)
            self._until = max(asked, self._until or asked)


FIRST_RETRY_S, LAST_RETRY_S = 5.0, 600.0


def backoff_s(attempt: int, jitter: float) -> float:
    """Seconds after failed attempt number `attempt` (from 1): doubling from 5 to 600, times 0.5 to 1 by `jitter` in [0, 1)."""
    return float(min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(attempt - 1, 16)) * (0.5 + jitter / 2))
