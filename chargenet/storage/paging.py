"""Cursors of listings. Decided here: a cursor is the key of the last row shown, as opaque text, not trusted when it returns."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from chargenet.errors import Conflict
from chargenet.stores import MAX_LIMIT, Page

Row = TypeVar("Row")
Key = tuple[int | str, ...]


def bounded(limit: int) -> int:
    """`limit` cut to 1…MAX_LIMIT."""
    return max(1, min(limit, MAX_LIMIT))


def encode(key: Key) -> str:
    """Key of the last row → cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(cursor: str | None, *types: type) -> Key | None:
    """Inverse of `encode`; None for the first page. Raises Conflict when it is not a cursor of this listing."""
    if cursor is None:
        return None
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=list[int | str])
    except (ValueError, binascii.Error, msgspec.DecodeError):
        key = []
    if tuple(type(part) for part in key) != types or any(isinstance(part, int) and abs(part) >= 2**63 for part in key):
        raise Conflict("this cursor does not belong to this listing: ask again without a cursor")
    return tuple(key)


def page(rows: Sequence[Row], limit: int, key: Callable[[Row], Key]) -> Page[Row]:
    """A page of up to `limit` rows out of the `limit` + 1 that were asked for."""
    items = list(rows[:limit])
    return Page(items, encode(key(items[-1])) if len(rows) > limit else None)
