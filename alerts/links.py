"""Signed links in messages: acknowledge, silence, resolve with one tap, without a password at 3 a.m. Pure.

Decided here: what a link may do (one thing, to one group, until it expires) and how that is proven (HMAC-SHA256). Opening a link
does nothing: it shows what it would do, because mail filters and chats open every link they see. The page's button does it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import quote

import msgspec

from chargenet.errors import ChargewatchError
from chargenet.model.notice import Link

KEY_BYTES = 32
PATH = "/alerts/links/"
_DOMAIN = b"chargewatch alert link v1\0"
_MAX_TOKEN = 512


class Purpose(StrEnum):
    """What a link does."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    RESOLVE = "resolve"


TITLES = {Purpose.ACKNOWLEDGE: "Acknowledge", Purpose.SILENCE: "Silence for 4 hours", Purpose.RESOLVE: "Resolve"}


class BadLink(ChargewatchError):
    """A link that is not ours, or has `expired`; the text says which."""

    def __init__(self, problem: str, *, expired: bool = False) -> None:
        super().__init__(problem)
        self.expired = expired


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """What a link proves. `group` is `group_digest` of the group's key; `receiver` is who it was sent to."""

    purpose: Purpose
    receiver: str
    group: str
    expires_at: int
    """Seconds since the epoch."""


class LinkMaker:
    """Makes and checks links. `base` gives the URL that people reach us by, "" for none (then there are no links).

    `runbooks`: the names of those that the platform serves itself.
    """

    def __init__(self, key: bytes, base: Callable[[], str], ttl_s: float, runbooks: Collection[str] = ()) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of links is {KEY_BYTES} bytes")
        self._key, self._base, self._ttl, self._runbooks = key, base, timedelta(seconds=ttl_s), frozenset(runbooks)

    def __repr__(self) -> str:
        return "LinkMaker(…)"

    def links(self, receiver: str, group_key: str, now: datetime) -> tuple[Link, ...]:
        """One link for each purpose."""
        base = self._base().rstrip("/")
        if not base:
            return ()
        expires_at = int((now + self._ttl).timestamp())
        group = group_digest(group_key)
        return tuple(Link(TITLES[each], base + self._path(Claim(each, receiver, group, expires_at))) for each in Purpose)

    def runbook(self, kind: str) -> tuple[Link, ...]:
        """The platform's own page on this kind of alert, where it has one."""
        base = self._base().rstrip("/")
        return (Link("Runbook", f"{base}/runbooks/{kind}"),) if base and kind in self._runbooks else ()

    def case(self, details: Mapping[str, object]) -> tuple[Link, ...]:
        """Where the case is in the API, for programs; nothing for what is no case."""
        base, case_id = self._base().rstrip("/"), details.get("case_id")
        return (Link("API", f"{base}/api/v1/cases/{case_id}"),) if base and isinstance(case_id, int) else ()

    def check(self, token: str, now: datetime) -> Claim:
        """What the token proves. Raises BadLink."""
        payload, _, signature = token[:_MAX_TOKEN].partition(".")
        try:
            proven = hmac.compare_digest(_decode(signature), self._sign(payload.encode()))
            claim = msgspec.json.decode(_decode(payload), type=Claim) if proven else None
        except (ValueError, binascii.Error, msgspec.DecodeError):
            claim = None
        if claim is None:
            raise BadLink("this link is not one of ours, or was cut off on its way: open the message again")
        if now.timestamp() >= claim.expires_at:
            raise BadLink("this link has expired: use a newer message, or `chargewatch cases ack`", expired=True)
        return claim

    def _path(self, claim: Claim) -> str:
        payload = _encode(msgspec.json.encode(claim))
        return f"{PATH}{payload}.{_encode(self._sign(payload.encode()))}"

    def _sign(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, _DOMAIN + payload, "sha256")


def group_digest(group_key: str) -> str:
    """Names a group in a link, whatever is in its key."""
    return hashlib.sha256(group_key.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def filled(template: str, labels: dict[str, str]) -> str:
    """`https://wiki.example/{kind}` with labels in place of their names, percent-encoded; unknown names become empty."""
    parts = template.split("{")
    return parts[0] + "".join(
        quote(labels.get(name, ""), safe="") + rest if closed else "{" + part
        for part in parts[1:]
        for name, closed, rest in (part.partition("}"),)
    )


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
