"""Doubts about times of day and days. Decided here: what midnight, wrap-around and both clock changes do to a window."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing_reports.doubt import Doubt, Level
from billing_reports.split import DAY_MINUTES, DAY_MS, from_ms, instants_of, minute_of_day, offset_changes, to_ms
from billing_reports.tariff import Restrictions, Tariff

_LAST_MINUTE = DAY_MINUTES - 1
_OFTEN_REPEATED = range(60, 240)
"""London and America repeat 01:00 to 02:00, central Europe the next hour, eastern Europe the one after."""


def clock_doubts(tariff: Tariff, zone: ZoneInfo | None, at: datetime) -> Iterator[Doubt]:
    """Doubts about the calendar of each element. Without `zone`, hours that many zones repeat are named. `at` is now."""
    changed = change_days(zone, at) if zone is not None else []
    for n, element in enumerate(tariff.elements):
        where, each = f"elements[{n}].restrictions", element.restrictions
        yield from _window(where, each)
        yield from _days(where, each)
        if zone is not None:
            yield from _changes(where, each, zone, changed)
        else:
            yield from _maybe_repeated(where, each)


def _window(where: str, each: Restrictions) -> Iterator[Doubt]:
    if each.start_time is not None and each.end_time is None:
        text = f"begins at {each.start_time} and has no end_time: it counts to midnight; write end_time 00:00 if that is meant"
        yield Doubt(Level.WARNING, f"{where}.end_time", "missing_end", text)
    if each.end_time is not None and each.start_time is None:
        text = f"ends at {each.end_time} and has no start_time: it counts from midnight; write start_time 00:00 if that is meant"
        yield Doubt(Level.WARNING, f"{where}.start_time", "missing_start", text)
    if each.start_time is not None and each.start_time == each.end_time:
        text = (
            f"begins and ends at {each.start_time}: OCPI leaves open what that is; here it is the whole day; leave both out instead"
        )
        yield Doubt(Level.WARNING, f"{where}.end_time", "end_equals_start", text)
    if each.end_time is not None and minute_of_day(each.end_time) == _LAST_MINUTE:
        text = "ends at 23:59, exclusive: the last minute of the day is left out; write 00:00"
        yield Doubt(Level.WARNING, f"{where}.end_time", "minute_before_midnight", text)


def _days(where: str, each: Restrictions) -> Iterator[Doubt]:
    wraps = each.start_time is not None and each.end_time is not None
    wraps = wraps and 0 < minute_of_day(each.end_time or "") < minute_of_day(each.start_time or "")
    if wraps and 0 < len(set(each.day_of_week)) < 7:
        text = (
            f"{each.start_time} to {each.end_time} goes over midnight, and the day is that of the moment: "
            f"the hours after midnight of the last day named are left out, those of the first are in"
        )
        yield Doubt(Level.WARNING, f"{where}.day_of_week", "days_over_midnight", text)
    if each.start_date is not None and each.end_date is not None:
        if each.end_date <= each.start_date:
            text = f"{each.end_date} is exclusive and not after {each.start_date}: the element never applies"
            yield Doubt(Level.ERROR, f"{where}.end_date", "never", text)
        elif each.start_time is not None or each.end_time is not None:
            text = "dates with times are that window on each of those days, not one span from the first time to the last"
            yield Doubt(Level.NOTE, f"{where}.start_date", "daily_window", text)


def _changes(where: str, each: Restrictions, zone: ZoneInfo, changed: list[date]) -> Iterator[Doubt]:
    for name in ("start_time", "end_time"):
        text = getattr(each, name)
        if text is None:
            continue
        minute = minute_of_day(text) % DAY_MINUTES
        for day in changed:
            shown = sorted(instants_of(day, minute, zone))
            place = f"{where}.{name}"
            if len(shown) > 1:
                times = " and ".join(f"{from_ms(each):%H:%M}" for each in shown)
                words = (
                    f"{text} comes twice on {day} in {zone.key} ({times} UTC): the element switches three times; use a price series"
                )
                words = f"{words}, or another boundary"
                yield Doubt(Level.WARNING, place, "repeated_hour", words)
            elif not shown:
                words = f"{text} does not exist on {day} in {zone.key}: the boundary is where the clock jumps past it"
                yield Doubt(Level.NOTE, place, "skipped_hour", words)


def _maybe_repeated(where: str, each: Restrictions) -> Iterator[Doubt]:
    for name in ("start_time", "end_time"):
        text = getattr(each, name)
        if text is not None and minute_of_day(text) in _OFTEN_REPEATED:
            words = f"{text} comes twice where clocks repeat that hour (01:00, 02:00 or 03:00 by zone): it switches three times"
            yield Doubt(Level.WARNING, f"{where}.{name}", "repeated_hour", f"{words}; name the zone, or use a price series")


def change_days(zone: ZoneInfo, at: datetime) -> list[date]:
    """Local days, in the year after `at`, on which the UTC offset changes."""
    start = to_ms(at.astimezone(UTC)) // DAY_MS * DAY_MS
    found = []
    for number in range(370):
        begin = start + number * DAY_MS
        if from_ms(begin).astimezone(zone).utcoffset() != from_ms(begin + DAY_MS).astimezone(zone).utcoffset():
            found += [
                (from_ms(each) - timedelta(seconds=1)).astimezone(zone).date()
                for each in offset_changes(zone, begin, begin + DAY_MS)
            ]
    return found
