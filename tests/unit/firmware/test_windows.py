"""Windows on real nights of changing clocks, by the wall clock of each site."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from firmware_orchestrator.windows import Opening, Schedule, Window, is_open, next_opening, openings

OSLO, NEW_YORK, LORD_HOWE = ZoneInfo("Europe/Oslo"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")


def schedule(opens: str, closes: str, **changes: object) -> Schedule:
    return Schedule(windows=(Window(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes)),), **changes)  # type: ignore[arg-type]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stretches(plan: Schedule, zone: ZoneInfo, start: str, hours: int) -> list[tuple[str, str]]:
    found = openings(plan, zone, utc(start), utc(start) + timedelta(hours=hours))
    return [(each.start.isoformat()[:16], each.end.isoformat()[:16]) for each in found]


def test_a_window_moves_with_summer_time() -> None:
    """01:00–05:00 in Oslo is 00:00–04:00 UTC in winter, 23:00–03:00 in summer, and an hour short on the night between."""
    assert stretches(schedule("01:00", "05:00"), OSLO, "2026-03-28T12:00", 48) == [
        ("2026-03-29T00:00", "2026-03-29T03:00"),
        ("2026-03-29T23:00", "2026-03-30T03:00"),
    ]


def test_an_hour_that_is_left_out_never_opens() -> None:
    """02:00–03:00 does not exist in Oslo on 29 March 2026."""
    assert stretches(schedule("02:00", "03:00"), OSLO, "2026-03-28T12:00", 24) == []


def test_an_hour_that_is_shown_twice_is_open_twice() -> None:
    """New York, 1 November 2026: 01:00–02:00 comes twice, without a gap; 01:30–02:30 opens, closes and opens again."""
    assert stretches(schedule("01:00", "02:00"), NEW_YORK, "2026-11-01T00:00", 12) == [("2026-11-01T05:00", "2026-11-01T07:00")]
    assert stretches(schedule("01:30", "02:30"), NEW_YORK, "2026-11-01T00:00", 12) == [
        ("2026-11-01T05:30", "2026-11-01T06:00"),
        ("2026-11-01T06:30", "2026-11-01T07:30"),
    ]


def test_half_an_hour_of_summer_time() -> None:
    """Lord Howe Island moves its clocks by thirty minutes: 02:00–03:00 lasts half an hour on 4 October 2026."""
    (only,) = stretches(schedule("02:00", "03:00"), LORD_HOWE, "2026-10-03T12:00", 12)
    assert only == ("2026-10-03T15:30", "2026-10-03T16:00")


def test_a_window_past_midnight_belongs_to_the_day_it_opens() -> None:
    """Friday 22:00–04:00 is open on Saturday at 03:00, not on Friday at 03:00."""
    plan = Schedule(windows=(Window(opens=time(22), closes=time(4), days=("fri",)),))
    assert is_open(plan, OSLO, utc("2026-03-07T02:00")) and not is_open(plan, OSLO, utc("2026-03-06T02:00"))


def test_quiet_hours_beat_windows() -> None:
    """And without windows everything else is open."""
    quiet = (Window(opens=time(7), closes=time(22)),)
    assert not is_open(schedule("06:00", "12:00", quiet=quiet), OSLO, utc("2026-03-02T09:00"))
    assert is_open(Schedule(quiet=quiet), OSLO, utc("2026-03-02T22:00"))
    assert next_opening(Schedule(quiet=quiet), OSLO, utc("2026-03-02T09:00")) == Opening(
        utc("2026-03-02T21:00"), utc("2026-03-03T06:00")
    )


def test_what_never_opens_has_no_next_opening() -> None:
    """Quiet hours over the whole window."""
    assert (
        next_opening(schedule("08:00", "09:00", quiet=(Window(opens=time(0), closes=time(0)),)), OSLO, utc("2026-03-02T09:00"))
        is None
    )
