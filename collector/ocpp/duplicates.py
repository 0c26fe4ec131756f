"""Was a property given twice? Decided here only that; JSON decoders, ours too, let the last one win.

Asking a decoder for every pair costs five times a typed decode, so the common case compares lengths, then counts colons: those in
texts are in both forms (no encoder escapes one), and one byte is searched for twice as fast as two.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from chargenet.events import FrameDeviated
from collector.quirks import flag

_encode = msgspec.json.Encoder().encode


def repeated_key(raw: bytes, call: Any) -> FrameDeviated | None:
    """The deviation, if `raw` gives a property twice of which `call` (its decoded form) kept the last."""
    plain = _encode(call)
    if len(plain) == len(raw) or plain.count(b":") == raw.count(b":"):
        return None
    return first_repeated_key(raw)


def first_repeated_key(raw: bytes) -> FrameDeviated | None:
    """The same by looking at every pair. `raw` is JSON."""
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in items}) < len(items):
            seen: set[str] = set()
            repeated.extend(key for key, _ in items if key in seen or seen.add(key))  # type: ignore[func-returns-value]

    try:
        json.loads(raw, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return None
    return flag("json-repeated-key", repeated[0][:64], "given twice, the last one counts") if repeated else None
