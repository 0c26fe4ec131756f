"""Heartbeats per charge point. Decided here: what a late one is. They leave no journal record; these counts are all there is."""

from __future__ import annotations

from datetime import datetime

import msgspec

DAYS = 28
_LEARN = 1 / 32
"""How fast the usual interval follows what is seen."""
_STEEP = 8.0
"""Intervals further off than an eighth all move it by the same: it follows their median, not their mean."""
LATE_RATIO = 1.5
"""An interval this much longer, or shorter, than usual is out of step."""


class Pulse(msgspec.Struct, kw_only=True):
    """One charge point. `beats` and `late` are counts per UTC day, slot = day modulo DAYS."""

    last: float = 0.0
    usual_s: float = 0.0
    day: int = -1
    beats: list[int] = msgspec.field(default_factory=lambda: [0] * DAYS)
    late: list[int] = msgspec.field(default_factory=lambda: [0] * DAYS)

    def beat(self, at: float) -> None:
        """One heartbeat at `at` (UTC seconds, our clock). One that is not later than the last is the same one."""
        interval = at - self.last
        if interval <= 0:
            return
        first, self.last = self.last == 0.0, at
        if first:
            return
        if self.usual_s == 0.0:
            self.usual_s = interval
        self._roll(int(at // 86_400))
        self.beats[self.day % DAYS] += 1
        ratio = interval / self.usual_s
        self.late[self.day % DAYS] += not 1 / LATE_RATIO <= ratio <= LATE_RATIO
        self.usual_s *= 1 + _LEARN * max(-1.0, min(1.0, _STEEP * (ratio - 1.0)))

    def restart(self) -> None:
        """A new connection: the time without one is no interval."""
        self.last = 0.0

    def _roll(self, day: int) -> None:
        for each in range(max(self.day + 1, day - DAYS + 1), day + 1):
            self.beats[each % DAYS] = self.late[each % DAYS] = 0
        self.day = max(self.day, day)

    def counts(self, day: int, recent_days: int) -> tuple[int, int, int, int]:
        """Beats and late ones of the last `recent_days` up to `day`, and those of before."""
        days = [each for each in range(self.day - DAYS + 1, self.day + 1) if each >= 0]
        recent = [each % DAYS for each in days if each > day - recent_days]
        before = [each % DAYS for each in days if each <= day - recent_days]
        return (
            sum(self.beats[each] for each in recent),
            sum(self.late[each] for each in recent),
            sum(self.beats[each] for each in before),
            sum(self.late[each] for each in before),
        )


class Heartbeats:
    """The pulses of all charge points."""

    def __init__(self) -> None:
        self.pulses: dict[str, Pulse] = {}

    def beat(self, charge_point_id: str, at: datetime) -> None:
        """A heartbeat came."""
        self._of(charge_point_id).beat(at.timestamp())

    def restart(self, charge_point_id: str) -> None:
        """It connected anew."""
        if charge_point_id in self.pulses:
            self.pulses[charge_point_id].restart()

    def _of(self, charge_point_id: str) -> Pulse:
        pulse = self.pulses.get(charge_point_id)
        if pulse is None:
            pulse = self.pulses[charge_point_id] = Pulse()
        return pulse
