"""Text → instant, leniently, and back. Decided here: what a device clock's text means; whether to believe it is decided later.

The standard wants RFC 3339. Charge points also leave the zone out, write `+02`, use a comma, or live in 1970: each is understood,
kept as said and flagged.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from chargenet.events import FrameDeviated
from collector.quirks import flag

_SHORT_OFFSET = re.compile(r"[+-]\d{2}(\d{2})?\Z")
_LENIENT = re.compile(
    r"\s*(?P<date>\d{4}-\d{1,2}-\d{1,2})(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,](?P<fraction>\d*))?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?\s*\Z",
    re.IGNORECASE,
)
_FIRST_BELIEVABLE_YEAR = 2010


def instant(text: object, path: str, deviations: list[FrameDeviated]) -> datetime | None:
    """The UTC instant that `text` means, or None. Appends what is odd about it; None as `text` gives None and no deviation."""
    if text is None:
        return None
    if not isinstance(text, str):
        deviations.append(flag("not-an-instant", path, f"{text!r} is not an instant", text))
        return None
    try:  # what nearly all say, without a call
        read = datetime.fromisoformat(text)
        if read.tzinfo is UTC and read.year >= _FIRST_BELIEVABLE_YEAR:
            return read
    except ValueError:
        pass  # `_read` says below what is wrong with it
    at, rule = _read(text)
    if rule is not None:
        deviations.append(flag(rule, path, f"{text[:64]!r}: {_MEANING[rule]}", text))
    return at


def wire(at: datetime) -> str:
    """How we write an instant to a charge point: UTC, whole seconds, Z. Fractions make real charge points refuse it."""
    global _written
    second, text = _written
    if not _NO_TIME <= at - second < _SECOND:
        second = at.astimezone(UTC).replace(microsecond=0)
        text = second.isoformat()[:19] + "Z"
        _written = second, text
    return text


_NO_TIME, _SECOND = timedelta(0), timedelta(seconds=1)
_written = (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01T00:00:00Z")
"""The second that was written last: every heartbeat of it is told the same, and writing costs 3 µs."""


_MEANING = {
    "not-an-instant": "not an instant",
    "zone-missing": "no zone, taken as UTC",
    "offset-short": "zone offset not as RFC 3339 writes it",
    "instant-spelling": "not spelled as RFC 3339",
    "clock-unset": "a clock that was never set",
}


def _read(text: str) -> tuple[datetime | None, str | None]:
    """(instant, rule broken)."""
    rule: str | None = None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        parsed = _lenient(text)
        if parsed is None:
            return None, "not-an-instant"
        at, rule = parsed, "instant-spelling"
    if at.tzinfo is None:
        at, rule = at.replace(tzinfo=UTC), "zone-missing"
    elif at.tzinfo is not UTC:
        try:
            at = at.astimezone(UTC)
        except OverflowError:
            return None, "not-an-instant"
        if _SHORT_OFFSET.search(text):
            rule = "offset-short"
    return at, "clock-unset" if at.year < _FIRST_BELIEVABLE_YEAR else rule


def _lenient(text: str) -> datetime | None:
    """Spellings that fromisoformat refuses: blanks, one-digit parts, short offsets, any count of fraction digits."""
    match = _LENIENT.match(text)
    if match is None:
        return None
    date = "-".join(part.zfill(2) for part in match["date"].split("-"))
    time = (match["time"] or "00:00").zfill(5 if not match["time"] or len(match["time"]) < 6 else 8)
    fraction = f".{match['fraction'][:6]}" if match["fraction"] and time.count(":") == 2 else ""
    try:
        return datetime.fromisoformat(f"{date}T{time}{fraction}{_zone(match['zone'])}")
    except ValueError:
        return None


def _zone(zone: str | None) -> str:
    if not zone:
        return ""
    if zone[0] not in "+-":
        return "Z"
    digits = zone[1:].replace(":", "")
    hours, minutes = (digits, "00") if len(digits) < 3 else (digits[:-2], digits[-2:])
    return f"{zone[0]}{hours.zfill(2)}:{minutes}"
