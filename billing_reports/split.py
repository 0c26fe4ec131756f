"""Where a charging period must be cut. Decided here: local boundaries, both clock changes, energies at a cut; not what it costs.

Integers all through: instants are milliseconds since 1970 UTC, energies mWh. Local time only finds boundaries: a window is tested
literally against the wall clock, so a window that begins at 02:30 on the night with two 02:30 switches on, off and on again
(ocpi/ocpi#534), and on the night without it begins at the first instant whose wall clock is past it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.tariff import DayOfWeek, Restrictions

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAY_MINUTES = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_WEEK = {day: index for index, day in enumerate(DayOfWeek)}
FOREVER = 2**62
"""After every instant."""
_MOST_DAYS = 4096
"""Days kept in a calendar: more than ten years."""


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC, rounded down."""
    since = at - _EPOCH
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def from_ms(at: int) -> datetime:
    """The inverse of `to_ms`."""
    seconds, rest = divmod(at, 1000)
    return _EPOCH + timedelta(0, seconds, rest * 1000)


def minute_of_day(text: str) -> int:
    """`HH:MM` as minutes after midnight, 24:00 included. ValueError for anything else."""
    hours, _, minutes = text.partition(":")
    if len(text) == 5 and hours.isdigit() and minutes.isdigit() and int(minutes) < 60:
        found = int(hours) * 60 + int(minutes)
        if found <= DAY_MINUTES:
            return found
    raise ValueError(f"a time of day is HH:MM, not {text!r}")


class Window(msgspec.Struct, frozen=True):
    """The calendar part of a restriction: `[start, end)` minutes of the local day, on some days. `start > end` wraps midnight."""

    start: int = 0
    end: int = DAY_MINUTES
    weekdays: int = 0b1111111
    """Bit n: weekday n, Monday is 0."""
    first_day: int = 0
    """Ordinal of the first local day, inclusive."""
    last_day: int = 10_000_000
    """Ordinal of the last local day, exclusive."""

    def holds(self, local: datetime) -> bool:
        """Whether a wall clock is inside; the day is the day of that moment, also after midnight (a literal AND)."""
        if not self.weekdays >> local.weekday() & 1 or not self.first_day <= local.toordinal() < self.last_day:
            return False
        minute = local.hour * 60 + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return self.start == self.end or minute >= self.start or minute < self.end


ALWAYS = Window()


def window_of(restrictions: Restrictions) -> Window:
    """The calendar part. Missing start is 00:00, missing end 24:00, end 00:00 is 24:00; equal ends are the whole day."""
    end = minute_of_day(restrictions.end_time) if restrictions.end_time else DAY_MINUTES
    start = minute_of_day(restrictions.start_time) if restrictions.start_time else 0
    return Window(
        start=start % DAY_MINUTES,
        end=end or DAY_MINUTES,
        weekdays=sum(1 << _WEEK[day] for day in set(restrictions.day_of_week)) or 0b1111111,
        first_day=date.fromisoformat(restrictions.start_date).toordinal() if restrictions.start_date else 0,
        last_day=date.fromisoformat(restrictions.end_date).toordinal() if restrictions.end_date else 10_000_000,
    )


class Calendar:
    """Which of some windows hold, as a bit mask, at any instant in one time zone. Remembers days that it was asked for."""

    def __init__(self, windows: Sequence[Window], zone: ZoneInfo) -> None:
        self._windows, self._zone = tuple(windows), zone
        minutes = {edge % DAY_MINUTES for each in windows if each != ALWAYS for edge in (each.start, each.end)}
        if any(each != ALWAYS for each in windows):
            minutes.add(0)
        self._minutes = sorted(minutes)
        self._days: dict[int, tuple[list[int], list[int]]] = {}
        self.constant: int | None = (1 << len(self._windows)) - 1 if not minutes else None
        """The mask, where no window depends on the calendar."""

    def day(self, number: int) -> tuple[list[int], list[int]]:
        """(instants, masks) of the UTC day `number` after 1970: masks[i] holds from instants[i] on. The first is its begin."""
        found = self._days.get(number)
        if found is None:
            if len(self._days) >= _MOST_DAYS:
                self._days.clear()
            found = self._days[number] = self._make(number)
        return found

    def mask_at(self, at: int) -> int:
        """Bit n is set while window n holds."""
        if self.constant is not None:
            return self.constant
        instants, masks = self.day(at // DAY_MS)
        return masks[bisect_right(instants, at) - 1]

    def segment(self, at: int) -> tuple[int, int]:
        """The mask at an instant, and until when it certainly holds."""
        if self.constant is not None:
            return self.constant, FOREVER
        number = at // DAY_MS
        instants, masks = self._days.get(number) or self.day(number)
        following = bisect_right(instants, at)
        return masks[following - 1], instants[following] if following < len(instants) else (number + 1) * DAY_MS

    def changes(self, start: int, end: int) -> list[int]:
        """Instants strictly between start and end at which the mask changes or may change (midnight UTC)."""
        if self.constant is not None or end - start < 2:
            return []
        first, last = start // DAY_MS, (end - 1) // DAY_MS
        if first == last:
            instants = self.day(first)[0]
            return instants[bisect_right(instants, start) : bisect_right(instants, end - 1)]
        return [at for number in range(first, last + 1) for at in self.day(number)[0] if start < at < end]

    def segments(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """(instant, mask) from `start` to `end`; neighbours differ. The first instant is `start`."""
        before: int | None = None
        for at in (start, *self.changes(start, end)):
            mask = self.mask_at(at)
            if mask != before:
                yield at, mask
            before = mask

    def _make(self, number: int) -> tuple[list[int], list[int]]:
        begin = number * DAY_MS
        candidates = {begin, *offset_changes(self._zone, begin, begin + DAY_MS)}
        for offset in (-1, 0, 1):
            day = date.fromordinal(_EPOCH_ORDINAL + number + offset)
            candidates.update(at for minute in self._minutes for at in instants_of(day, minute, self._zone))
        instants: list[int] = []
        masks: list[int] = []
        for at in sorted(at for at in candidates if begin <= at < begin + DAY_MS):
            local = from_ms(at).astimezone(self._zone)
            mask = sum(1 << index for index, each in enumerate(self._windows) if each.holds(local))
            if not masks or masks[-1] != mask:
                instants.append(at)
                masks.append(mask)
        return instants, masks


def instants_of(day: date, minute: int, zone: ZoneInfo) -> set[int]:
    """When the wall clock of `zone` shows that minute: once, twice (the repeated hour) or never (the hour left out)."""
    wall = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001 - the zone comes below, with each fold
    found = set()
    for fold in (0, 1):
        at = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if at.astimezone(zone).replace(tzinfo=None) == wall:
            found.add(to_ms(at))
    return found


def offset_changes(zone: ZoneInfo, start: int, end: int) -> list[int]:
    """Instants in `(start, end]`, to the second, at which the zone's UTC offset changes; looks once an hour."""

    def offset(at: int) -> timedelta | None:
        return from_ms(at).astimezone(zone).utcoffset()

    found = []
    following = offset(start)
    for hour in range(start, end, HOUR_MS):
        before, after = hour, min(hour + HOUR_MS, end)
        earlier, following = following, offset(after)
        if earlier == following:
            continue
        while after - before > 1000:
            middle = (before + after) // 2000 * 1000
            before, after = (middle, after) if offset(middle) == earlier else (before, middle)
        found.append(after)
    return found


def energy_at(energy_mwh: int, elapsed_ms: int, duration_ms: int) -> int:
    """mWh used after `elapsed_ms` of a period: linear, whole Wh rounded toward zero; parts sum to the register difference."""
    if elapsed_ms >= duration_ms:
        return energy_mwh
    magnitude = abs(energy_mwh) * elapsed_ms // (1000 * duration_ms) * 1000
    return magnitude if energy_mwh >= 0 else -magnitude


def cut_points(
    times: Iterable[int], thresholds: Iterable[int], start: int, end: int, energy_mwh: int, before_mwh: int
) -> list[tuple[int, int]]:
    """(instant, mWh since the period began) of every cut inside a period, in order; start and end are not among them.

    `times` are instants; `thresholds` energies of the transaction in mWh, of which `before_mwh` came earlier. A threshold is met at
    the first millisecond at which the linear energy has reached it, and the energy there is the threshold, to the mWh.
    """
    duration = end - start
    size, sign = abs(energy_mwh), 1 if energy_mwh >= 0 else -1
    points = [(at, abs(energy_at(energy_mwh, at - start, duration))) for at in times if start < at < end]
    for threshold in thresholds:
        needed = (threshold - before_mwh) * sign
        if 0 < needed < size:
            points.append((start - (-duration * needed // size), needed))
    points.sort()
    cuts = []
    reached = 0
    for at, used in points:
        reached = max(reached, used)
        cuts.append((at, sign * reached))
    return cuts
