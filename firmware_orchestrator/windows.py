"""When a charge point may be updated: windows and quiet hours on the wall clock of its site. Pure.

Decided here: a moment is open when the clock on the site's wall shows a time inside a window and not inside quiet hours. So an hour
that a change to summer time leaves out never opens, and an hour that is shown twice is open twice; quiet hours hold as long as the
clock shows them, which errs towards quiet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=15)
"""How far ahead an opening is looked for: any weekly window opens at least twice in it, even across a change of the clocks."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From `opens` to `closes` by the wall clock, on the days it opens; past midnight where `closes` ≤ `opens`."""

    opens: time
    closes: time
    days: tuple[str, ...] = WEEKDAYS
    """mon…sun, by the day it opens."""

    def shows(self, local: datetime) -> bool:
        """Is this wall time inside?"""
        today, yesterday = WEEKDAYS[local.weekday()], WEEKDAYS[local.weekday() - 1]
        at = local.time()
        if self.opens < self.closes:
            return today in self.days and self.opens <= at < self.closes
        return (today in self.days and at >= self.opens) or (yesterday in self.days and at < self.closes)


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Windows minus quiet hours. Without windows every moment is open but for the quiet ones."""

    windows: tuple[Window, ...] = ()
    quiet: tuple[Window, ...] = ()


class Opening(msgspec.Struct, frozen=True):
    """A stretch of time that is open, [start, end) in UTC."""

    start: datetime
    end: datetime


def is_open(schedule: Schedule, zone: ZoneInfo, now: datetime) -> bool:
    """May something begin now?"""
    local = now.astimezone(zone)
    inside = not schedule.windows or any(each.shows(local) for each in schedule.windows)
    return inside and not any(each.shows(local) for each in schedule.quiet)


def openings(schedule: Schedule, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Opening]:
    """The open stretches of [start, end), in order and as long as they can be."""
    began: datetime | None = None
    for at in _turns(schedule, zone, start, end):
        inside = is_open(schedule, zone, at)
        if inside and began is None:
            began = at
        elif not inside and began is not None:
            yield Opening(began, at)
            began = None
    if began is not None:
        yield Opening(began, end)


def next_opening(schedule: Schedule, zone: ZoneInfo, now: datetime) -> Opening | None:
    """The stretch that is open now, from now on, or else the next one; None when none comes within HORIZON."""
    return next(openings(schedule, zone, now, now + HORIZON), None)


def _turns(schedule: Schedule, zone: ZoneInfo, start: datetime, end: datetime) -> Sequence[datetime]:
    """Every instant in [start, end) at which open and closed can change: `start`, edges on the wall clock, changes of the clock."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    edges = {each for window in (*schedule.windows, *schedule.quiet) for each in (window.opens, window.closes)} | {time(0)}
    found = {start}
    day = (start.astimezone(zone) - timedelta(days=1)).date()
    last = (end.astimezone(zone) + timedelta(days=1)).date()
    while day <= last:
        found |= {at for edge in edges for at in _instants(day, edge, zone)}
        change = _clock_change(day, zone)
        if change is not None:
            found.add(change)
        day += timedelta(days=1)
    return sorted(at for at in found if start <= at < end)


def _instants(day: date, edge: time, zone: ZoneInfo) -> set[datetime]:
    """When the wall shows this time of this day: once, twice, or (as both folds convert) around a time that is left out."""
    return {datetime.combine(day, edge, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1)}


def _clock_change(day: date, zone: ZoneInfo) -> datetime | None:
    """The instant of this local day at which the clock is changed, found by halving; None on most days."""
    low = datetime.combine(day, time(0), zone).astimezone(UTC)
    high = datetime.combine(day + timedelta(days=1), time(0), zone).astimezone(UTC)
    before = low.astimezone(zone).utcoffset()
    if before == high.astimezone(zone).utcoffset():
        return None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high
