"""Sets of time against sets of integers, which cannot be wrong."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing_reports.intervals import Intervals, clip, intersect, joined, subtract, total, union

PIECES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def instants(intervals: Intervals) -> set[int]:
    """Every microsecond in it."""
    return {at for start, end in intervals for at in range(start, end)}


def normal(intervals: Intervals) -> bool:
    """Sorted, disjoint, not touching, none empty."""
    return all(start < end for start, end in intervals) and all(left[1] < right[0] for left, right in pairwise(intervals))


@given(PIECES, PIECES)
def test_operations_are_those_of_sets(left: list[tuple[int, int]], right: list[tuple[int, int]]) -> None:
    """Union, intersection and difference agree with Python's sets, and are in normal form."""
    a, b = union(left), union(right)
    for made, expected in (
        (joined(a, b), instants(a) | instants(b)),
        (intersect(a, b), instants(a) & instants(b)),
        (subtract(a, b), instants(a) - instants(b)),
        (clip(a, 10, 40), {at for at in instants(a) if 10 <= at < 40}),
    ):
        assert instants(made) == expected
        assert normal(made)
        assert total(made) == len(expected)
