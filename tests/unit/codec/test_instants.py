"""Device clocks: what each spelling means, and what is said about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chargenet.events import FrameDeviated
from collector.handlers.instants import instant, wire

AT = datetime(2026, 4, 26, 12, 35, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meaning", "quirk"),
    [
        ("2026-04-26T12:35:02Z", AT, None),
        ("2026-04-26T14:35:02+02:00", AT, None),
        ("2026-04-26T12:35:02.5Z", AT + timedelta(milliseconds=500), None),
        ("2026-04-26T12:35:02.123456789Z", AT + timedelta(microseconds=123456), None),
        ("2026-04-26T12:35:02,5Z", AT + timedelta(milliseconds=500), None),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), None),
        ("2026-04-26T14:35:02+02", AT, "offset-short"),
        ("2026-04-26T14:35:02+0200", AT, "offset-short"),
        ("2026-04-26T12:35:02", AT, "zone-missing"),
        ("2026-04-26 12:35:02", AT, "zone-missing"),
        ("2026-04-26", datetime(2026, 4, 26, tzinfo=UTC), "zone-missing"),
        (" 2026-04-26T12:35:02 Z ", AT, "instant-spelling"),
        ("2026-4-26 9:05:02 +2", datetime(2026, 4, 26, 7, 5, 2, tzinfo=UTC), "instant-spelling"),
        ("2026-04-26T12:35:02 UTC", AT, "instant-spelling"),
        ("1970-01-01T00:03:00Z", datetime(1970, 1, 1, 0, 3, tzinfo=UTC), "clock-unset"),
        ("2009-12-31T23:59:59", datetime(2009, 12, 31, 23, 59, 59, tzinfo=UTC), "clock-unset"),
        ("0000-00-00T00:00:00Z", None, "instant-unreadable"),
        ("9999-12-31T23:59:59-02:00", None, "instant-unreadable"),
        ("0001-01-01T00:00:00+05:00", None, "instant-unreadable"),
        ("", None, "instant-unreadable"),
        ("yesterday", None, "instant-unreadable"),
        (1772366398, None, "instant-unreadable"),
    ],
)
def test_a_device_clock(text: object, meaning: datetime | None, quirk: str | None) -> None:
    """Understood where it can be, kept as said, flagged where it is odd; said twice it means the same."""
    for _ in range(2):
        deviations: list[FrameDeviated] = []
        assert instant(text, "timestamp", deviations) == meaning
        assert [deviation.quirk for deviation in deviations] == ([] if quirk is None else [quirk])


def test_no_text_is_no_instant_and_no_deviation() -> None:
    """A timestamp that may be absent is not missed here."""
    deviations: list[FrameDeviated] = []
    assert instant(None, "timestamp", deviations) is None
    assert deviations == []


def test_instants_are_utc() -> None:
    """Whatever the offset was, the value's zone is UTC itself."""
    found = instant("2026-04-26T14:35:02+02:00", "timestamp", [])
    assert found is not None
    assert found.tzinfo is UTC


def test_we_write_whole_seconds_and_z() -> None:
    """Fractions make real charge points refuse our time."""
    assert wire(datetime(2026, 4, 26, 14, 35, 2, 999_999, tzinfo=timezone(timedelta(hours=2)))) == "2026-04-26T12:35:02Z"
