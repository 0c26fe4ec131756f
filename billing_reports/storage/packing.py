"""Documents in one column. Decided here: deflated JSON, so that a transaction of a thousand samples is a few kilobytes."""

from __future__ import annotations

import zlib
from typing import TypeVar

import msgspec

Document = TypeVar("Document")
_LEVEL = 6


def pack(document: msgspec.Struct) -> bytes:
    """Deflated JSON; decimals as text, so exact."""
    return zlib.compress(msgspec.json.encode(document), _LEVEL)


def unpack(body: bytes, kind: type[Document]) -> Document:
    """The inverse of `pack`."""
    return msgspec.json.decode(zlib.decompress(body), type=kind)
