"""Many charging periods cut into slices at once. Decided here: nothing; it is `metering` on columns, to the millisecond and mWh.

A calendar becomes one sorted column of instants for the whole span, so that a period's cuts are two binary searches and no loop.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.split import DAY_MS, FOREVER, Calendar

Integers = NDArray[np.int64]
_MOST_DAYS = 20_000


class Periods(msgspec.Struct, frozen=True):
    """Columns of charging periods, in order. Instants ms, energy mWh and not negative. What no tariff asks for is None."""

    kind: Integers
    start: Integers
    end: Integers
    energy: Integers
    time: Integers
    used: Integers | None
    """mWh of the transaction before the period."""
    began: Integers | None
    """Start of the transaction; beyond any instant while it is only reserved."""
    idle_since: Integers | None
    """Start of the stretch of parking, in periods of parking."""


class Slices(msgspec.Struct, frozen=True):
    """Columns of slices. `period` is the row of the period; `reached` the mWh of the period before the slice.

    `clock` is the number of the calendar's instants up to its start, `first` (a row a period) the period's first slice.
    """

    period: Integers
    start: Integers
    reached: Integers
    energy: Integers
    time: Integers
    clock: Integers
    first: Integers


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
    clock = np.searchsorted(instants, periods.start, "right")
    cuts = [_calendar_cuts(periods, instants, clock)]
    if periods.began is not None:
        cuts += [_inside(periods, periods.began + each) for each in durations]
    if periods.idle_since is not None:
        cuts.append(_inside(periods, np.where(periods.kind == 1, periods.idle_since + grace, -1)))
    row = np.concatenate([each[0] for each in cuts])
    when = np.concatenate([each[1] for each in cuts])
    level = _whole_wh(periods, row, when)
    crossings = [] if periods.used is None else [_crossing(periods, periods.used, each) for each in thresholds]
    if crossings:
        row = np.concatenate([row, *(each[0] for each in crossings)])
        when = np.concatenate([when, *(each[1] for each in crossings)])
        level = np.concatenate([level, *(each[2] for each in crossings)])
    if len(cuts) > 1 or crossings:
        order = np.lexsort((level, when, row))
        row, when, level = row[order], when[order], level[order]
        level = _rising(row, level)
    return _slices(periods, (row, when, level), clock, instants)


def _calendar_cuts(periods: Periods, instants: Integers, clock: Integers) -> tuple[Integers, Integers]:
    """(rows, instants) strictly inside periods; few periods have any, so that only those are looked at twice."""
    crossed = np.flatnonzero(np.append(instants, FOREVER)[clock] < periods.end)
    low = clock[crossed]
    count = np.searchsorted(instants, periods.end[crossed], "left") - low
    offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(crossed, count), instants[np.repeat(low, count) + offset]


def _inside(periods: Periods, at: Integers) -> tuple[Integers, Integers]:
    rows = np.flatnonzero((at > periods.start) & (at < periods.end))
    return rows, at[rows]


def _whole_wh(periods: Periods, row: Integers, when: Integers) -> Integers:
    """Cumulative floor in whole Wh, as `split.energy_at`."""
    duration = periods.end[row] - periods.start[row]
    whole: Integers = periods.energy[row] * (when - periods.start[row]) // (1000 * np.maximum(duration, 1)) * 1000
    return whole


def _crossing(periods: Periods, used: Integers, threshold: int) -> tuple[Integers, Integers, Integers]:
    needed = threshold - used
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


def _slices(periods: Periods, cuts: tuple[Integers, Integers, Integers], clock: Integers, instants: Integers) -> Slices:
    """Every period begins a slice, and so does every cut (row, instant, level); volumes are differences of running values."""
    row, when, level = cuts
    rows = np.arange(len(periods.start))
    if not len(row):
        return Slices(rows, periods.start, np.zeros(len(rows), np.int64), periods.energy, periods.time, clock, rows)
    cut_before = np.cumsum(np.bincount(row, minlength=len(rows)))
    period = np.repeat(rows, np.diff(cut_before, prepend=0) + 1)
    at = row + np.arange(1, len(row) + 1)
    elapsed, duration = when - periods.start[row], periods.end[row] - periods.start[row]
    spent = np.where(periods.time[row] == duration, elapsed, periods.time[row] * elapsed // np.maximum(duration, 1))
    start, positions = periods.start[period], clock[period]
    start[at], positions[at] = when, np.searchsorted(instants, when, "right")
    reached, energy = _parts(periods.energy[period], at, level)
    _, time = _parts(periods.time[period], at, spent)
    return Slices(period, start, reached, energy, time, positions, rows + cut_before - np.diff(cut_before, prepend=0))


def _parts(whole: Integers, at: Integers, level: Integers) -> tuple[Integers, Integers]:
    """(running value before each slice, its own part), where the slices `at` begin at `level`. `whole` is used up."""
    before = np.zeros(len(whole), np.int64)
    before[at] = level
    whole[at - 1] = level
    whole -= before
    return before, whole
