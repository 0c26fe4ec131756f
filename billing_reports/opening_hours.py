"""Hours of operation, as `Mo-Fr 06:00-22:00; Sa,Su 08:00-20:00`. Decided here: their spelling, and when a station is closed.

A day that is not named is closed; an end that is not after its begin is on the next day; 24:00 is midnight. Local wall clock: on
the days of clock changes a station is open for an hour more or less, as its sign says.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing_reports.intervals import Intervals, clip, instants, subtract, union
from chargenet.errors import Conflict
from chargenet.model.record import microseconds

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_PART = re.compile(r"(?P<days>[A-Z][a-z](?:[-,][A-Z][a-z])*) (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")

Week = dict[int, list[tuple[time, time, bool]]]
"""Weekday → (start, end, end on the next day)."""


def parse(hours: str) -> Week:
    """Raises Conflict with what is wrong. Empty text is an empty week: always open, for callers that ask `closed`."""
    week: Week = {}
    for part in (each.strip() for each in hours.split(";") if each.strip()):
        found = _PART.fullmatch(part)
        if found is None:
            raise Conflict(f"hours: {part!r} is not of the form Mo-Fr 06:00-22:00")
        start, end, later = _times(found["start"], found["end"], part)
        for day in _days(found["days"], part):
            week.setdefault(day, []).append((start, end, later))
    return week


def _times(start: str, end: str, part: str) -> tuple[time, time, bool]:
    try:
        first = time.fromisoformat(start)
        last = time(0) if end == "24:00" else time.fromisoformat(end)
    except ValueError:
        raise Conflict(f"hours: {part!r} has a time that is none") from None
    return first, last, last <= first


def _days(text: str, part: str) -> list[int]:
    found: list[int] = []
    for piece in text.split(","):
        ends = piece.split("-")
        if len(ends) > 2 or any(end not in DAYS for end in ends):
            raise Conflict(f"hours: {part!r} has a day that is none; days are {', '.join(DAYS)}")
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        found += [(first + number) % 7 for number in range((last - first) % 7 + 1)]
    return found


def closed(hours: str, start: datetime, end: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """When it is closed in [start, end). Always open without hours."""
    week = parse(hours)
    if not week:
        return []
    whole: Intervals = ((microseconds(start), microseconds(end)),)
    day, opened = start.astimezone(zone).date() - timedelta(days=1), []
    while day <= end.astimezone(zone).date():
        for first, last, later in week.get(day.weekday(), ()):
            opened.append((_at(day, first, zone), _at(day + timedelta(days=later), last, zone)))
        day += timedelta(days=1)
    return instants(subtract(whole, clip(union(opened), *whole[0])))


def _at(day: date, at: time, zone: ZoneInfo) -> int:
    return microseconds(datetime.combine(day, at, zone))
