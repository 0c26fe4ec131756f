"""Close codes and reasons as RFC 6455 §7.4 allows them on the wire. No I/O."""

from __future__ import annotations

NO_CODE = 1005
"""A Close frame without a code; never sent."""
LOST = 1006
"""TCP ended without a Close frame; never sent."""
PROTOCOL_ERROR = 1002
TOO_BIG = 1009
INTERNAL_ERROR = 1011

TOO_SLOW = "the peer does not read what it is sent"
NO_ANSWER = "the peer did not answer our Close"
ABORTED = "dropped by us"

_MAX_REASON_BYTES = 123


def sendable(code: int) -> bool:
    """May this code stand in a Close frame?"""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999


def reason_bytes(code: int, reason: str) -> bytes:
    """The reason as UTF-8, cut between characters where it would not fit. Raises ValueError for a code that must not be sent."""
    if not sendable(code):
        raise ValueError(f"{code} must not be sent as a close code")
    raw = reason.encode()
    return raw if len(raw) <= _MAX_REASON_BYTES else raw[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
