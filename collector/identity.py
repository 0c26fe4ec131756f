"""From a request target to a charge point id, and from offered subprotocols to a protocol. Pure.

Real charge points percent-encode or do not, add a trailing slash, or know only a bare path.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from chargenet.model.words import Protocol

MAX_ID_LENGTH = 255
PREFIX = "/ocpp/"
_SPOKEN = {protocol.value: protocol for protocol in Protocol}


def charge_point_id(path: str) -> str | None:
    """`/ocpp/<id>` or `/<id>`, percent-decoded; None without a usable id (empty, control characters, too long, not UTF-8)."""
    path = path.partition("?")[0]
    raw = path[len(PREFIX) :] if path.startswith(PREFIX) else path.removeprefix("/")
    try:
        name = unquote(raw.rstrip("/"), errors="strict")
    except UnicodeDecodeError:
        return None
    return name if name and len(name) <= MAX_ID_LENGTH and name.isprintable() and name.strip() == name else None


def choose_protocol(offered: Sequence[str], default: Protocol) -> Protocol | None:
    """The first offered subprotocol that we speak; `default` when none was offered; None when we speak none of them.

    OCPP-J 1.6 §3.1.2: the charge point lists its subprotocols in order of preference.
    """
    if not offered:
        return default
    return next((_SPOKEN[name] for name in offered if name in _SPOKEN), None)
