"""Calls of Stripe: is this one Stripe's, and what is it about? Pure.

`Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX…]`: HMAC-SHA256 of `SECONDS.BODY` with the endpoint's secret, hexadecimal; several v1
while a secret is being replaced, other schemes are ignored (https://docs.stripe.com/webhooks#verify-manually). The body is only
believed to say which payment changed: what it is now is asked, because calls arrive late, twice and out of order.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from billing_reports.payments.port import BadSignature, GatewayEvent
from chargenet.settings.values import Secret

MAX_HEADER = 4096
MAX_SIGNATURES = 16


class _Data(msgspec.Struct, frozen=True):
    object: dict[str, Any]


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    data: _Data


def read_event(body: bytes, header: str, secret: Secret, now: datetime, tolerance_s: float) -> GatewayEvent:
    """The event of a call. Raises BadSignature, which never says what the right signature would be."""
    signed_at, signatures = _parts(header)
    wanted = hmac.new(secret.reveal().encode(), b"%d." % signed_at + body, sha256).hexdigest().encode()
    same = [hmac.compare_digest(wanted, each.encode("utf-8", "replace")) for each in signatures]
    if True not in same:
        raise BadSignature("the signature is not that of this body: check billing.payments.webhook_secret")
    if abs(now.timestamp() - signed_at) > tolerance_s:
        raise BadSignature(f"it was signed more than {tolerance_s:g} s away from now: a repeat, or a clock that is wrong")
    try:
        event = msgspec.json.decode(body, type=_Event)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadSignature("the body is no event") from None
    return GatewayEvent(event.id, event.type, _about(event.data.object))


def _parts(header: str) -> tuple[int, list[str]]:
    signed_at, signatures = None, []
    for part in header[:MAX_HEADER].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12:
            signed_at = int(value)
        elif name == "v1":
            signatures.append(value)
    if signed_at is None or not signatures:
        raise BadSignature("the header Stripe-Signature is missing, or has no t and v1")
    return signed_at, signatures[:MAX_SIGNATURES]


def _about(thing: dict[str, Any]) -> str | None:
    """The payment: the object itself, or what a charge, a refund or a dispute belongs to."""
    name = thing.get("id") if thing.get("object") == "payment_intent" else thing.get("payment_intent")
    return name if isinstance(name, str) else None
