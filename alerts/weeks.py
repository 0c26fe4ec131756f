"""The weekly look of the forest. Decided here: when it is due, and that it works in a process of its own.

Growing trees for every cohort takes seconds of CPU and a library that this process does not need otherwise; the child gets the
week's features and what earlier weeks taught, gives findings, and ends.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec

from alerts.detectors.forest import Forest, Week, last_week, unusual
from alerts.finding import Finding
from alerts.statistics import Statistics
from alerts.store import Piece
from chargenet import workers

WEEKS = "weeks"
KIND = "unusual"


class Weeks:
    """Learned weeks, and when the last one was judged. What was learned is in memory: a restart begins with the next week."""

    def __init__(self, every_s: float) -> None:
        self._every = timedelta(seconds=every_s)
        self._forest = Forest()
        self.judged_at: datetime | None = None
        self._changed = False

    def due(self, now: datetime) -> bool:
        """A week has passed since the last look, or since the first fact."""
        if self.judged_at is None:
            self.judged_at, self._changed = now, True
        return now - self.judged_at >= self._every

    def look(self, statistics: Statistics, now: datetime) -> Week:
        """The features of the last seven days; numpy work for a thread, while nobody changes the history."""
        return last_week(statistics.history, now, statistics.settings)

    async def judge(self, week: Week, now: datetime, limit: float) -> list[Finding]:
        """What is unlike its peers; this week teaches, too."""
        self.judged_at, self._changed = now, True
        if not week.keys:
            return []
        self._forest.learn(week.features, week.cohorts)
        pool = workers.pool(1)
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, unusual, self._forest, week, now, limit)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # whoever stops the platform does not wait for trees

    def take(self) -> list[Piece]:
        """What is stored of it, where it changed."""
        if not self._changed:
            return []
        self._changed = False
        return [Piece(WEEKS, msgspec.msgpack.encode(self.judged_at))]

    def restore(self, state: bytes) -> None:
        """Knows again when the last look was. Raises msgspec.ValidationError for what is no instant."""
        self.judged_at = msgspec.msgpack.decode(state, type=datetime)
