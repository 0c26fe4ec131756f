"""HTTP ranges of one file, RFC 9110 §13.1.5 and §14, and which bytes of it were sent. Pure.

Decided here: one range is served; several at once are answered with the whole file, as a server may. A range under an If-Range that
does not fit the file is answered with the whole file too, so that a charge point never joins halves of two images.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import msgspec

_ONE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.IGNORECASE)
Covered = tuple[tuple[int, int], ...]


class Slice(msgspec.Struct, frozen=True):
    """Bytes [start, end). `partial`: answer 206, else 200."""

    start: int
    end: int
    partial: bool

    @property
    def length(self) -> int:
        return self.end - self.start


def etag(sha256: str) -> str:
    """A strong validator: the bytes themselves."""
    return f'"{sha256}"'


def http_date(at: datetime) -> str:
    """An instant as HTTP spells it, to the second."""
    return format_datetime(at.astimezone(UTC).replace(microsecond=0), usegmt=True)


def wanted(range_: str | None, if_range: str | None, tag: str, modified_at: datetime, size: int) -> Slice | None:
    """What a request wants; None: nothing that the file has (416)."""
    whole = Slice(0, size, False)
    match = _ONE.fullmatch((range_ or "").strip())
    if match is None or not (match[1] or match[2]) or not _same(if_range, tag, modified_at):
        return whole
    if not match[1]:
        last = int(match[2])
        return Slice(max(0, size - last), size, True) if last and size else None
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return whole  # not a range at all: ignored
    return Slice(start, end, True) if start < size else None


def _same(if_range: str | None, tag: str, modified_at: datetime) -> bool:
    """A weak tag never fits; a date must be ours to the second."""
    if if_range is None:
        return True
    text = if_range.strip()
    if text.startswith(('"', "W/")):
        return text == tag
    try:
        return parsedate_to_datetime(text) == modified_at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, TypeError):
        return False


def merged(covered: Covered, start: int, end: int) -> Covered:
    """With [start, end) added: in order, without overlaps."""
    if end <= start:
        return covered
    found: list[tuple[int, int]] = []
    for low, high in sorted((*covered, (start, end))):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def complete(covered: Covered, size: int) -> bool:
    """Was every byte sent?"""
    return covered == ((0, size),)
