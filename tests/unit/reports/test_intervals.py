"""Sets of time."""

from __future__ import annotations

from billing_reports.intervals import clip, intersect, joined, subtract, total, union


def test_a_union_is_sorted_and_disjoint() -> None:
    """Overlapping and touching pieces become one; empty and backward ones nothing."""
    assert union([(5, 7), (1, 3), (3, 4), (6, 9), (10, 10), (12, 11)]) == ((1, 4), (5, 9))


def test_what_is_in_both() -> None:
    """Intersection goes through both sets once."""
    assert intersect(((0, 10), (20, 30)), ((5, 22), (29, 40))) == ((5, 10), (20, 22), (29, 30))
    assert intersect(((0, 10),), ()) == ()


def test_what_is_left() -> None:
    """Subtraction cuts pieces out, also several out of one, and one out of several."""
    assert subtract(((0, 10), (20, 30)), ((2, 3), (5, 25))) == ((0, 2), (3, 5), (25, 30))
    assert subtract(((0, 10),), ((0, 10),)) == ()
    assert subtract(((0, 4), (6, 9)), ((10, 12),)) == ((0, 4), (6, 9))


def test_clipping_and_adding_up() -> None:
    """Only what lies in the window counts."""
    assert clip(((0, 10), (20, 30)), 5, 25) == ((5, 10), (20, 25))
    assert total(joined(((0, 10),), ((5, 12),))) == 12
