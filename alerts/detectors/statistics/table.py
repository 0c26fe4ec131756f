"""The last attempts of every connector as columns. Decided here: how much is kept of each connector, and what a repetition is.

One row a connector: its newest WINDOW attempts in order of their begin, whatever the order they came in, counts per UTC day, and a
histogram of how power compared with the offer before the window. About 2.6 KB a row, so 50,000 connectors are 130 MB and any test
is a few array operations over all of them. An attempt that came before is replaced, not counted again; one that is older than a
full window is too old to judge and left out.
"""

from __future__ import annotations

import hashlib
from math import isnan, log2, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerts.attempts import Attempt, Failure

WINDOW = 32
DAYS = 84
"""Days of counts: twelve weeks, so that one season does not judge another."""
BINS = 40
"""Bins of log2(power / offered), four an octave, from 2⁻⁸ to 2²."""
LOWEST_LOG2, PER_OCTAVE = -8.0, 4
TRIED, JUDGED, FAILING = 0, 1, 2
GOOD, FAILED, EMPTY, UNJUDGED = 0, 1, 2, 3
"""Outcome codes: served; failed; failed and gave nothing; says nothing about the connector."""

RECORD = np.dtype(
    [
        ("began", "f8"),
        ("ended", "f8"),
        ("key", "u8"),
        ("first", "i8"),
        ("last", "i8"),
        ("token", "u4"),
        ("energy_wh", "f4"),
        ("log2_power", "f4"),
        ("temperature_c", "f4"),
        ("intervals", "u2"),
        ("late", "u2"),
        ("outcome", "u1"),
        ("offered", "u1"),
    ]
)
_WHOLE = np.dtype((np.void, RECORD.itemsize))
"""A record as bytes: records are moved whole, not field by field, which costs ten times as much."""
Array = NDArray[Any]
DAY_S = 86_400.0


class Table:
    """Rows grow as connectors appear. `count[row]` slots at the right end of `records[row]` are used, oldest first."""

    def __init__(self, capacity: int = 64) -> None:
        self.size = 0
        self.free: list[int] = []
        self.records: Array = np.zeros((capacity, WINDOW), RECORD)
        self.count: Array = np.zeros(capacity, np.int16)
        self.days: Array = np.zeros((capacity, 3, DAYS), np.uint16)
        """TRIED, JUDGED and FAILING attempts; slot = UTC day modulo DAYS."""
        self.day: Array = np.full(capacity, -1, np.int32)
        """The newest UTC day counted."""
        self.first: Array = np.full(capacity, nan)
        """When its first attempt ever seen began."""
        self.histogram: Array = np.zeros((capacity, BINS), np.uint16)

    def add_row(self) -> int:
        """An empty row; room is doubled when there is none."""
        if self.free:
            return self.free.pop()
        if self.size == len(self.count):
            for name in ("records", "count", "days", "day", "first", "histogram"):
                old = getattr(self, name)
                grown = np.zeros((2 * len(old), *old.shape[1:]), old.dtype)
                grown[: len(old)] = old
                setattr(self, name, grown)
            self.day[self.size :] = -1
            self.first[self.size :] = nan
        self.size += 1
        return self.size - 1

    def clear_row(self, row: int) -> None:
        """Forget what a row knew; the next new connector takes it."""
        self.count[row], self.day[row], self.first[row] = 0, -1, nan
        self.days[row], self.histogram[row], self.records[row] = 0, 0, 0
        self.free.append(row)

    def copy_row(self, row: int) -> int:
        """A new row that knows what `row` knows."""
        made = self.add_row()
        self.overwrite_row(made, row)
        return made

    def overwrite_row(self, made: int, row: int) -> None:
        """`made` knows what `row` knows."""
        for name in ("records", "count", "days", "day", "first", "histogram"):
            getattr(self, name)[made] = getattr(self, name)[row]

    def add(self, row: int, attempt: Attempt) -> bool:
        """Put one attempt in its place. False: it was known (and is replaced) or is too old, so it adds nothing to any count."""
        record = _record(attempt)
        used = int(self.count[row])
        slots = self.records[row]
        present = slots["key"][WINDOW - used :]
        known = (present == record["key"]).nonzero()[0]
        if len(known):
            at = WINDOW - used + int(known[0])
            self._count_day(row, slots[at], -1)
            slots[at] = record
            self._count_day(row, slots[at], 1)
            return False
        position = WINDOW - used + int(_place(slots[WINDOW - used :], record))
        if used == WINDOW:
            if position == 0:
                return False
            self._retire(row, slots[0])
        moved = slots.view(_WHOLE)
        moved[WINDOW - used - 1 if used < WINDOW else 0 : position - 1] = moved[WINDOW - used if used < WINDOW else 1 : position]
        slots[position - 1] = record
        self.count[row] = min(used + 1, WINDOW)
        began = float(record["began"])
        if isnan(self.first[row]) or began < self.first[row]:
            self.first[row] = began
        self._count_day(row, slots[position - 1], 1)
        return True

    def _count_day(self, row: int, record: Any, by: int) -> None:
        day, newest = int(record["began"] // DAY_S), int(self.day[row])
        if newest < 0 or day > newest:
            for each in range(max(newest + 1, day - DAYS + 1) if newest >= 0 else day, day + 1):
                self.days[row, :, each % DAYS] = 0
            self.day[row] = newest = day
        if day <= newest - DAYS:
            return
        counts, outcome = self.days[row, :, day % DAYS], int(record["outcome"])
        for kind, counted in ((TRIED, True), (JUDGED, outcome != UNJUDGED), (FAILING, outcome in (FAILED, EMPTY))):
            if counted:
                counts[kind] = max(0, int(counts[kind]) + by)

    def _retire(self, row: int, record: Any) -> None:
        """Keep of what leaves the window how its power compared, halving when full so that the far past fades."""
        ratio = float(record["log2_power"])
        if isnan(ratio):
            return
        self.histogram[row, bin_of(ratio)] += 1
        if int(self.histogram[row].sum()) > 400:
            self.histogram[row] //= 2


def bin_of(log2_power: float) -> int:
    """The histogram bin of log2(power / offered)."""
    return min(BINS - 1, max(0, int((log2_power - LOWEST_LOG2) * PER_OCTAVE)))


def _place(used: Array, record: Any) -> int:
    """Behind the last one that began earlier; equal begins are ordered by key, so that the order of arrival cannot show."""
    at = int(used["began"].searchsorted(record["began"]))
    while at < len(used) and used["began"][at] == record["began"] and used["key"][at] < record["key"]:
        at += 1
    return at


def _record(attempt: Attempt) -> Any:
    made = np.zeros((), RECORD)
    made["began"], made["ended"] = attempt.began_at.timestamp(), attempt.ended_at.timestamp()
    made["key"] = _digest(attempt.transaction_id or f"{attempt.began_at.timestamp()} {attempt.token}", 8)
    if attempt.sequences:
        made["first"], made["last"] = attempt.sequences[0], attempt.sequences[-1]
    made["token"] = 0 if attempt.token is None else _digest(attempt.token, 4)
    made["energy_wh"] = nan if attempt.energy_wh is None else attempt.energy_wh
    made["log2_power"] = _log2_power(attempt)
    made["temperature_c"] = nan if attempt.temperature_c is None else attempt.temperature_c
    made["intervals"], made["late"] = min(attempt.intervals, 65_535), min(attempt.late_intervals, 65_535)
    made["outcome"] = _outcome(attempt)
    made["offered"] = attempt.offered_w is not None
    return made


def _outcome(attempt: Attempt) -> int:
    if not attempt.judged:
        return UNJUDGED
    if attempt.failure is None:
        return GOOD
    return EMPTY if not attempt.energy_wh or attempt.failure == Failure.NO_ENERGY else FAILED


TYPICAL_OFFER_W = 22_000.0
"""Stands for the offer where none is reported; any constant does, since a connector is compared with itself and its model."""


def _log2_power(attempt: Attempt) -> float:
    """log2(delivered / offered) of an attempt whose pace the connector set, else NaN."""
    if attempt.car_limited or not attempt.power_w or attempt.failure is not None:
        return nan
    offered = attempt.offered_w if attempt.offered_w and attempt.offered_w > 0 else TYPICAL_OFFER_W
    return log2(attempt.power_w / offered) if attempt.power_w > 0 else nan


def _digest(text: str, size: int) -> int:
    """Never 0, which stands for nothing."""
    return int.from_bytes(hashlib.blake2s(text.encode(), digest_size=size).digest(), "big") or 1
