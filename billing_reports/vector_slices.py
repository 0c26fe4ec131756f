"""Many charging periods cut into slices at once. Decided here: nothing; it is `metering` on columns, to the millisecond and mWh.

A calendar becomes one sorted column of instants for the whole span, so that a period's cuts are two binary searches and no loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.split import DAY_MS, Calendar

Integers = NDArray[np.int64]
_MOST_DAYS = 20_000


class Periods(msgspec.Struct, frozen=True):
    """Columns of charging periods, in order. `usage` is the row of the transaction; instants ms, energy mWh and not negative."""

    usage: Integers
    kind: Integers
    start: Integers
    end: Integers
    energy: Integers
    time: Integers
    used: Integers
    """mWh of the transaction before the period."""
    began: Integers
    """Start of the transaction; beyond any instant while it is only reserved."""
    idle_since: Integers
    """Start of the stretch of parking, in periods of parking."""


class Slices(msgspec.Struct, frozen=True):
    """Columns of slices. `period` is the row of the period; `reached` the mWh of the period before the slice."""

    period: Integers
    start: Integers
    reached: Integers
    energy: Integers
    time: Integers


def calendar_columns(calendar: Calendar, first: int, last: int) -> tuple[Integers, Integers]:
    """(instants, masks) from the day of `first` to the day of `last`. ValueError for a span of more than 50 years."""
    days = range(first // DAY_MS, last // DAY_MS + 1)
    if len(days) > _MOST_DAYS:
        raise ValueError(f"{len(days)} days are too many for one batch; price {_MOST_DAYS} at most at a time")
    instants: list[int] = []
    masks: list[int] = []
    for number in days:
        for at, mask in zip(*calendar.day(number), strict=True):
            if not masks or masks[-1] != mask:
                instants.append(at)
                masks.append(mask)
    return np.array(instants, np.int64), np.array(masks, np.int64)


def cut(periods: Periods, instants: Integers, thresholds: Sequence[int], durations: Sequence[int], grace: int) -> Slices:
    """Slices of all periods: at `instants`, at `thresholds` (mWh), `durations` (ms) after the start, `grace` after idling began."""
    rows, at = _calendar_cuts(periods, instants)
    cuts = [(rows, at)]
    cuts += [_inside(periods, periods.began + each) for each in durations]
    if grace:
        cuts.append(_inside(periods, np.where(periods.kind == 1, periods.idle_since + grace, -1)))
    row = np.concatenate([each[0] for each in cuts])
    when = np.concatenate([each[1] for each in cuts])
    level = _whole_wh(periods, row, when)
    crossings = [_crossing(periods, each) for each in thresholds]
    if crossings:
        row = np.concatenate([row, *(each[0] for each in crossings)])
        when = np.concatenate([when, *(each[1] for each in crossings)])
        level = np.concatenate([level, *(each[2] for each in crossings)])
    if len(cuts) > 1 or crossings:
        order = np.lexsort((level, when, row))
        row, when, level = row[order], when[order], level[order]
        level = _rising(row, level)
    return _slices(periods, row, when, level)


def _calendar_cuts(periods: Periods, instants: Integers) -> tuple[Integers, Integers]:
    low = np.searchsorted(instants, periods.start, "right")
    high = np.searchsorted(instants, periods.end, "left")
    count = np.maximum(high - low, 0)
    rows = np.repeat(np.arange(len(count)), count)
    offset = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
    return rows, instants[np.repeat(low, count) + offset] if len(rows) else np.empty(0, np.int64)


def _inside(periods: Periods, at: Integers) -> tuple[Integers, Integers]:
    rows = np.flatnonzero((at > periods.start) & (at < periods.end))
    return rows, at[rows]


def _whole_wh(periods: Periods, row: Integers, when: Integers) -> Integers:
    """Cumulative floor in whole Wh, as `split.energy_at`."""
    duration = periods.end[row] - periods.start[row]
    whole: Integers = periods.energy[row] * (when - periods.start[row]) // (1000 * np.maximum(duration, 1)) * 1000
    return whole


def _crossing(periods: Periods, threshold: int) -> tuple[Integers, Integers, Integers]:
    needed = threshold - periods.used
    rows = np.flatnonzero((needed > 0) & (needed < periods.energy))
    needed = needed[rows]
    duration = periods.end[rows] - periods.start[rows]
    return rows, periods.start[rows] - (-duration * needed // periods.energy[rows]), needed


def _rising(row: Integers, level: Integers) -> Integers:
    """Running maximum of `level` inside each row: one accumulate, with rows lifted above each other."""
    if not len(level):
        return level
    lift = (int(level.max()) + 1) * np.cumsum(np.diff(row, prepend=row[0]) != 0)
    risen: Integers = np.maximum.accumulate(level + lift) - lift
    return risen


def _slices(periods: Periods, row: Integers, when: Integers, level: Integers) -> Slices:
    """Every period begins a slice, and so does every cut; energies and times are differences of running values."""
    count = len(periods.start)
    cuts = np.bincount(row, minlength=count).astype(np.int64)
    first = np.arange(count) + np.cumsum(cuts) - cuts
    whole = count + len(row)
    period, start, reached, passed = (np.zeros(whole, np.int64) for _ in range(4))
    period[first], start[first] = np.arange(count), periods.start
    rest = np.ones(whole, np.bool_)
    rest[first] = False
    duration = periods.end[row] - periods.start[row]
    elapsed = when - periods.start[row]
    time = periods.time[row]
    period[rest], start[rest], reached[rest] = row, when, level
    passed[rest] = np.where(time == duration, elapsed, time * elapsed // np.maximum(duration, 1))
    last = np.append(first[1:], whole) - 1
    energy = np.append(reached[1:], 0) - reached
    times = np.append(passed[1:], 0) - passed
    energy[last] = periods.energy - reached[last]
    times[last] = periods.time - passed[last]
    return Slices(period, start, reached, energy, times)
