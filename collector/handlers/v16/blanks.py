"""Words with which charge points say nothing. Decided here: which texts of optional OCPP 1.6 properties mean "none"."""

from __future__ import annotations

_NOTHING = frozenset({"", "null", "none", "n/a", "0x0", "0x00", "0x0000", "0x00000000"})


def said(text: str | None) -> str | None:
    """The text as it came, or None where it says nothing (an ABB Terra writes info "null" and vendorErrorCode "0x0000")."""
    return None if text is None or text.strip().casefold() in _NOTHING else text
