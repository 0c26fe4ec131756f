"""What the audit listing shows of a change."""

from __future__ import annotations

from chargewatch.cli.sites import _changed


def test_only_what_differs_is_shown() -> None:
    """A field that stayed as it was says nothing; one that came or went is on its side only."""
    assert _changed({"a": 1, "b": 2, "gone": 3}, {"a": 1, "b": 5, "new": 4}) == ('{"b":2,"gone":3}', '{"b":5,"new":4}')


def test_a_beginning_or_an_end_is_shown_whole() -> None:
    """Nothing before, or nothing after."""
    assert _changed(None, {"a": 1}) == (None, '{"a":1}')
