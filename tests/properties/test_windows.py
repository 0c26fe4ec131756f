"""Windows: the stretches are exactly the minutes at which the wall shows an open time, across both changes of the clock."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_orchestrator.windows import WEEKDAYS, Schedule, Window, is_open, next_opening, openings

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana")
"""Havana changes at midnight, Lord Howe by half an hour."""
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 7, 18, tzinfo=UTC), datetime(2026, 10, 31, 18, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 2, tzinfo=UTC), datetime(2026, 10, 3, 2, tzinfo=UTC)),
    "America/Havana": (datetime(2026, 3, 7, 18, tzinfo=UTC), datetime(2026, 10, 31, 18, tzinfo=UTC)),
}
DAY = timedelta(hours=26)
times = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
windows = st.builds(
    lambda opens, closes, days: Window(opens=opens, closes=closes, days=tuple(days)),
    times,
    times,
    st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True),
)
schedules = st.builds(
    lambda opened, quiet: Schedule(windows=tuple(opened), quiet=tuple(quiet)),
    st.lists(windows, max_size=3),
    st.lists(windows, max_size=2),
)


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=25, deadline=None)
@given(plan=schedules, autumn=st.booleans())
def test_the_stretches_are_the_open_minutes(name: str, plan: Schedule, autumn: bool) -> None:
    """Every quarter of an hour around both changes of the clock; stretches are in order, apart, and as long as they can be."""
    zone, start = ZoneInfo(name), CHANGES[name][autumn]
    found = list(openings(plan, zone, start, start + DAY))
    at = start
    while at < start + DAY:
        assert any(each.start <= at < each.end for each in found) == is_open(plan, zone, at), at
        at += timedelta(minutes=15)
    assert all(one.end < other.start for one, other in itertools.pairwise(found))


@pytest.mark.parametrize("name", ZONES)
@settings(max_examples=25, deadline=None)
@given(plan=schedules, autumn=st.booleans(), minutes=st.integers(0, 26 * 60))
def test_the_next_opening_is_open_and_none_is_before_it(name: str, plan: Schedule, autumn: bool, minutes: int) -> None:
    """What is said to open next really is open then, and closed just before unless that is now."""
    zone = ZoneInfo(name)
    now = CHANGES[name][autumn] + timedelta(minutes=minutes)
    found = next_opening(plan, zone, now)
    if found is None:
        assert not is_open(plan, zone, now)
        return
    assert is_open(plan, zone, found.start)
    assert found.start == now or not is_open(plan, zone, found.start - timedelta(seconds=1))
