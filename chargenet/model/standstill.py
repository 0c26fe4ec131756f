"""Times in which this process could hear nobody. Decided here: how they are found, and how much of a silence they explain.

A process that is stopped, a machine that is suspended and a clock that is set forward look alike to whoever judges silence by the
clock: a while went by in which nobody was heard. None of it is the fault of those who were not heard. Beats tell: each compares
two clocks with those of the beat before. CLOCK_MONOTONIC runs while a process is stopped and stands while a machine is suspended
(Linux, clock_gettime(2)); the wall clock passes through both, and jumps when it is set. Pure: both times are the caller's.

A standstill explains its own length of a silence and no more. So somebody who fell silent before it is still found, that much
later, however often the process stands still. A clock that is set back is not one: silences are only found later then.
"""

from __future__ import annotations

from datetime import UTC, datetime

BEAT_S = 1.0
"""At most so much time is between two beats of a process that runs."""
STILL_S = 3.0
"""More than this between two beats, and nobody was listening: a busy event loop is late by less."""
CATCH_UP_S = 5.0
"""So long after a standstill nothing is concluded yet: what came meanwhile waits in the sockets' buffers and is read first."""
MOST = 64

_Spans = tuple[tuple[float, float], ...]


class Standstills:
    """The latest of one process. Give both clocks to `beat` every BEAT_S, and before anything is judged; anybody may."""

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._monotonic: _Spans = ()
        self._wall: _Spans = ()
        self._caught_up_at = float("-inf")
        self.count = 0
        """How many there were since the start."""
        self.last_s = 0.0
        """How long the latest was, by the clock that showed more of it."""

    def beat(self, now: datetime, monotonic: float) -> None:
        """It is `now` by the wall clock, and `monotonic` seconds by the other."""
        wall, last = now.timestamp(), self._last
        self._last = (wall, monotonic)
        if last is None:
            return
        before, began = last
        if wall < before:
            self._wall = tuple((start, min(end, wall)) for start, end in self._wall if start < wall)
        still_s = max(wall - before, monotonic - began)
        if still_s <= STILL_S:
            return
        self.count, self.last_s = self.count + 1, still_s
        self._caught_up_at = monotonic + CATCH_UP_S
        if monotonic - began > STILL_S:
            self._monotonic = _with(self._monotonic, began, monotonic + CATCH_UP_S)
        if wall - before > STILL_S:
            self._wall = _with(self._wall, before, wall + CATCH_UP_S)

    @property
    def watched(self) -> bool:
        """Did the beats begin?"""
        return self._last is not None

    def catching_up(self, monotonic: float) -> bool:
        """Is what came during the last standstill still being read?"""
        return monotonic < self._caught_up_at

    def between(self, since: float, until: float) -> float:
        """Seconds of [since, until], monotonic, in which nobody could be heard."""
        return _within(self._monotonic, since, until)

    def between_instants(self, since: datetime, until: datetime) -> float:
        """Seconds of [since, until] in which nobody could be heard."""
        return _within(self._wall, since.timestamp(), until.timestamp()) if self._wall else 0.0

    def since(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """Begin and end of those that began at or after `at`, by the wall clock, oldest first."""
        spans = [span for span in self._wall if span[0] >= at.timestamp()]
        return [(datetime.fromtimestamp(began, UTC), datetime.fromtimestamp(ended, UTC)) for began, ended in spans]


def _with(spans: _Spans, began: float, ended: float) -> _Spans:
    """One more, later than all; it may begin before the end of the last, which was still catching up."""
    if spans and began <= spans[-1][1]:
        began = min(began, spans[-1][0])
        spans = spans[:-1]
    return (*spans[-MOST + 1 :], (began, ended))


def _within(spans: _Spans, since: float, until: float) -> float:
    return sum(max(0.0, min(ended, until) - max(began, since)) for began, ended in spans)
