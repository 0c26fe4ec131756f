"""Sets of time as sorted, disjoint, half-open intervals. Decided here: their arithmetic, exactly, in integer microseconds.

An interval is `(start, end)` with start < end, microseconds since the epoch (`chargenet.model.record.microseconds`). Every function
returns a normal form: sorted, disjoint, not touching, none empty. So two equal sets of time are equal values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chargenet.model.record import instant, microseconds

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]

NOTHING: Intervals = ()
MINUTE_US = 60_000_000
SECOND_US = 1_000_000


def interval(start: datetime, end: datetime) -> Interval:
    """From aware datetimes."""
    return microseconds(start), microseconds(end)


def spans(pairs: Iterable[tuple[datetime, datetime]]) -> Intervals:
    """The union of pairs of instants."""
    return union(interval(start, end) for start, end in pairs)


def instants(intervals: Intervals) -> list[tuple[datetime, datetime]]:
    """Back to aware datetimes."""
    return [(instant(start), instant(end)) for start, end in intervals]


def union(pieces: Iterable[Interval]) -> Intervals:
    """All of them; overlapping and touching ones become one, empty and backward ones nothing."""
    merged: list[Interval] = []
    for start, end in sorted(piece for piece in pieces if piece[0] < piece[1]):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return tuple(merged)


def joined(*sets: Intervals) -> Intervals:
    """The union of sets."""
    return union(piece for each in sets for piece in each)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """What is in both."""
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            found.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(found)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """What is in `left` and not in `right`."""
    found: list[Interval] = []
    j = 0
    for start, end in left:
        while j < len(right) and right[j][1] <= start:
            j += 1
        k = j
        while k < len(right) and right[k][0] < end:
            if right[k][0] > start:
                found.append((start, right[k][0]))
            start = max(start, right[k][1])
            k += 1
        if start < end:
            found.append((start, end))
    return tuple(found)


def clip(intervals: Intervals, start: int, end: int) -> Intervals:
    """What lies in [start, end)."""
    return tuple((max(a, start), min(b, end)) for a, b in intervals if a < end and b > start)


def total(intervals: Intervals) -> int:
    """Microseconds."""
    return sum(end - start for start, end in intervals)


def minutes(intervals: Intervals) -> float:
    """Minutes, with fractions."""
    return total(intervals) / MINUTE_US
