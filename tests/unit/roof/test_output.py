"""How values look on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chargewatch.cli.exits import CommandFailed
from chargewatch.cli.output import cell, duration, energy, parse_when, size, when

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("90s", NOW - timedelta(seconds=90)),
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_instants_and_ages(text: str | None, expected: datetime | None) -> None:
    """An age counts back from now; an instant without a zone is UTC."""
    assert parse_when(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "-2h", "2 h", "9999999h", "999999w", "2026-13-01"])
def test_what_is_no_instant(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(CommandFailed, match="15m, 2h, 7d"):
        parse_when(text, NOW)


def test_numbers_have_units_and_doubt_is_a_dash() -> None:
    """Sizes in binary units, energy in kWh, durations in hours; what is not known is a dash, never a zero."""
    assert [size(count) for count in (0, 1023, 1536, 5 << 40)] == ["0 B", "1023 B", "1.5 KiB", "5.0 TiB"]
    assert (energy(500), energy(0), energy(None)) == ("0.500", "0.000", None)
    assert (duration(3725.4), duration(0), duration(None)) == ("1:02:05", "0:00:00", None)
    assert [cell(value).plain for value in (None, "", (), 0, False, ("a", "b"))] == ["-", "-", "-", "0", "no", "a, b"]


def test_instants_are_shown_in_utc() -> None:
    """Whatever zone they came with."""
    assert when(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))) == "2026-01-01 00:00:00Z"
