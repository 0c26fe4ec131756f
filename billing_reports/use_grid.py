"""When connectors are used: by weekday and hour, and by month. Decided here: how time is cut into local hours, DST included.

Time is cut into quarters of an hour of UTC, which no zone's offset cuts again; each quarter belongs to one local weekday, hour and
month. Occupied and open seconds are added up exactly per quarter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.intervals import Intervals
from billing_reports.report_session import ReportSession
from chargenet.model.record import instant, microseconds

QUARTER_US = 900_000_000
DAYS_UPTO, HOURS_UPTO = timedelta(days=62), timedelta(days=2)
"""Periods up to these are shown by day, and by hour."""


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """7 rows (Monday first) of 24 local hours: the share of open time that is occupied; None where nothing was open."""

    occupied: tuple[tuple[float | None, ...], ...]
    peak_weekday: int | None
    peak_hour: int | None
    """Where the share is highest."""


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One local month, day or hour, as far as the period covers it. `month` is YYYY-MM, YYYY-MM-DD or YYYY-MM-DD HH."""

    month: str
    sessions: int
    energy_wh: int
    """Of the sessions that began in it."""
    open_s: int
    occupied_s: int

    @property
    def occupied(self) -> float | None:
        """Occupied utilization."""
        return self.occupied_s / self.open_s if self.open_s else None


def grid_of(occupied: Iterable[Intervals], opened: Iterable[Intervals], start: datetime, end: datetime, time_zone: str) -> Grid:
    """The grid of [start, end)."""
    quarters = _Quarters(start, end, time_zone)
    slot = quarters.weekday * 24 + quarters.hour
    used = np.bincount(slot, weights=quarters.seconds(occupied), minlength=168)
    whole = np.bincount(slot, weights=quarters.seconds(opened), minlength=168)
    shares: list[float | None] = [float(a / b) if b > 0 else None for a, b in zip(used, whole, strict=True)]
    known = [(share, index) for index, share in enumerate(shares) if share is not None and share > 0]
    peak = max(known, key=lambda each: (each[0], -each[1]))[1] if known else None
    return Grid(
        occupied=tuple(tuple(shares[day * 24 : day * 24 + 24]) for day in range(7)),
        peak_weekday=None if peak is None else peak // 24,
        peak_hour=None if peak is None else peak % 24,
    )


def months_of(
    sessions: Sequence[ReportSession],
    occupied: Iterable[Intervals],
    opened: Iterable[Intervals],
    start: datetime,
    end: datetime,
    time_zone: str,
) -> tuple[Month, ...]:
    """Every local month that [start, end) touches, in order; days of a shorter period, hours of a day or two."""
    quarters = _Quarters(start, end, time_zone)
    form = "%Y-%m" if end - start > DAYS_UPTO else "%Y-%m-%d" if end - start > HOURS_UPTO else "%Y-%m-%d %H"
    zone = ZoneInfo(time_zone)
    steps = [each.strftime(form) for each in quarters.local]
    names, index = np.unique(np.array(steps), return_inverse=True)
    used = np.bincount(index, weights=quarters.seconds(occupied), minlength=len(names))
    whole = np.bincount(index, weights=quarters.seconds(opened), minlength=len(names))
    counts: dict[str, list[int]] = {str(name): [0, 0] for name in names}
    for session in sessions:
        if session.began_at >= start:
            found = counts[session.began_at.astimezone(zone).strftime(form)]
            found[0] += 1
            found[1] += session.energy_wh
    return tuple(
        Month(
            month=str(name),
            sessions=counts[str(name)][0],
            energy_wh=counts[str(name)][1],
            open_s=round(float(whole[at])),
            occupied_s=round(float(used[at])),
        )
        for at, name in enumerate(names)
    )


class _Quarters:
    """The quarters of an hour from `start` to `end`, with the local weekday, hour and month of each."""

    def __init__(self, start: datetime, end: datetime, time_zone: str) -> None:
        zone = ZoneInfo(time_zone)
        self._first = microseconds(start) // QUARTER_US
        self._count = -(-microseconds(end) // QUARTER_US) - self._first
        self.local = [instant((self._first + number) * QUARTER_US).astimezone(zone) for number in range(self._count)]
        self.weekday: NDArray[np.int64] = np.array([each.weekday() for each in self.local], dtype=np.int64)
        self.hour: NDArray[np.int64] = np.array([each.hour for each in self.local], dtype=np.int64)

    def seconds(self, sets: Iterable[Intervals]) -> NDArray[np.float64]:
        """Seconds of all sets together in each quarter: whole quarters by a difference array, the ends by what they cover."""
        pieces = [piece for intervals in sets for piece in intervals]
        if not pieces:
            return np.zeros(self._count)
        edges = np.array(pieces, dtype=np.int64) - self._first * QUARTER_US
        starts, ends = edges[:, 0], edges[:, 1]
        first, last = starts // QUARTER_US, ends // QUARTER_US
        full = np.zeros(self._count + 2)
        np.add.at(full, first, QUARTER_US)
        np.add.at(full, last, -QUARTER_US)
        covered = np.cumsum(full)[: self._count + 1]
        np.add.at(covered, first, -(starts - first * QUARTER_US))
        np.add.at(covered, last, ends - last * QUARTER_US)
        return np.asarray(covered[: self._count] / 1e6, dtype=np.float64)
