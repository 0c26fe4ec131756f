"""Signed links in messages about rollouts: approve, resume, abort with one tap. Pure but for the port that they are told through.

Decided here: what a link may do (one thing, to one rollout, as it stood when the message was written, until it expires), and how
that is proven. As with the links of alerts (alerts/links.py), whose key this shares, looking at one changes nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from alerts.links import KEY_BYTES, BadLink
from chargenet.model.notice import Link, Notice
from chargenet.model.record import microseconds
from chargenet.ports import Clock, Notices
from firmware_orchestrator import tidings

PATH = "/rollouts/links/"
_DOMAIN = b"chargewatch rollout link v1\0"
_MAX_TOKEN = 800


class RolloutPurpose(StrEnum):
    """What a link does."""

    APPROVE = "approve"
    RESUME = "resume"
    """After a halt: an override, which needs a reason."""
    ABORT = "abort"


_P = RolloutPurpose
_TITLES = {_P.APPROVE: "Let it go on", _P.RESUME: "Go on all the same", _P.ABORT: "Abort"}
_OFFERED: Mapping[str, tuple[RolloutPurpose, ...]] = {
    tidings.HALTED: (_P.ABORT, _P.RESUME),
    tidings.HELD: (_P.APPROVE, _P.ABORT),
    tidings.LOST: (_P.ABORT,),
}


class RolloutClaim(msgspec.Struct, frozen=True, array_like=True):
    """What a link proves. `since_us`: when the state began that it was written about; 0: any state."""

    purpose: RolloutPurpose
    rollout_id: str
    since_us: int
    expires_at: int
    """Seconds since the epoch."""


class RolloutLinks:
    """Makes and checks links. `base`: the URL that people reach us by, "" for none (then there are no links)."""

    def __init__(self, key: bytes, base: Callable[[], str], ttl_s: float) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of links is {KEY_BYTES} bytes")
        self._key, self._base, self._ttl = key, base, timedelta(seconds=ttl_s)

    def __repr__(self) -> str:
        return "RolloutLinks(…)"

    def links(self, notice: Notice, now: datetime) -> tuple[Link, ...]:
        """Those that a message about this may carry; none for what is over."""
        base, rollout_id = self._base().rstrip("/"), notice.labels.get("rollout")
        if not base or rollout_id is None or notice.resolved_at is not None:
            return ()
        expires_at = int((now + self._ttl).timestamp())
        since_us = 0 if notice.kind == tidings.LOST else microseconds(notice.began_at)
        offered = _OFFERED.get(notice.kind, ())
        if notice.details.get("reason") == "no_data":
            offered = (_P.ABORT,)  # data cannot be approved: it comes back, or it does not
        return tuple(
            Link(_TITLES[each], base + self._path(RolloutClaim(each, rollout_id, since_us, expires_at))) for each in offered
        )

    def check(self, token: str, now: datetime) -> RolloutClaim:
        """What the token proves. Raises BadLink."""
        payload, _, signature = token[:_MAX_TOKEN].partition(".")
        try:
            proven = hmac.compare_digest(_decode(signature), self._sign(payload.encode()))
            claim = msgspec.json.decode(_decode(payload), type=RolloutClaim) if proven else None
        except (ValueError, binascii.Error, msgspec.DecodeError):
            claim = None
        if claim is None:
            raise BadLink("this link is not one of ours, or was cut off on its way: open the message again")
        if now.timestamp() >= claim.expires_at:
            raise BadLink("this link has expired: use `chargewatch rollout`, or a newer message", expired=True)
        return claim

    def _path(self, claim: RolloutClaim) -> str:
        payload = _encode(msgspec.json.encode(claim))
        return f"{PATH}{payload}.{_encode(self._sign(payload.encode()))}"

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, _DOMAIN + payload, "sha256")


class LinkedNotices:
    """Implements `chargenet.ports.Notices`: adds the links and passes them on."""

    def __init__(self, notices: Notices, links: RolloutLinks, clock: Clock) -> None:
        self._notices, self._links, self._clock = notices, links, clock

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Raises what the port behind it raises."""
        now = self._clock.now()
        linked = [msgspec.structs.replace(each, links=(*each.links, *self._links.links(each, now))) for each in notices]
        await self._notices.tell(linked)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
