"""What every notifier is, and how an attempt ends. Decided here: which answers are final and which are worth another try."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

import msgspec

from alerts.message import Message, cut
from alerts.relay.rows import Outcome

MAX_DETAIL = 300
MAX_RETRY_AFTER_S = 6 * 3600.0
TRY_AGAIN = (408, 425, 429)
"""The only 4xx that are not final: too slow, too early, too many."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one attempt ended. `detail` says it for people and holds no secret."""

    outcome: Outcome
    http_status: int | None = None
    detail: str = ""
    retry_after_s: float | None = None

    @property
    def answered(self) -> bool:
        """The receiver is there, whatever it said of this message."""
        return self.outcome is not Outcome.RETRY


class Notifier(Protocol):
    """Tells one receiver. Never raises for what the receiver, or the network, does."""

    async def send(self, message: Message, now: datetime) -> Result:
        """One attempt, within the receiver's time limit. The receiver knows a repeat by the message's id, where it can."""


class HttpRequest(msgspec.Struct, frozen=True):
    """A POST. Headers and URL may hold secrets: never shown."""

    url: str
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpRequest({len(self.body)} bytes)"


class HttpAnswer(msgspec.Struct, frozen=True):
    """The beginning of an answer: header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpDoor(Protocol):
    """Makes POST requests. Raises HttpFailure."""

    async def post(self, request: HttpRequest, timeout_s: float) -> HttpAnswer: ...


class HttpFailure(Exception):
    """No answer. `forbidden`: the address is one that we may not connect to, and trying again will not help."""

    def __init__(self, detail: str, *, forbidden: bool = False) -> None:
        super().__init__(detail)
        self.detail, self.forbidden = detail, forbidden


async def deliver(door: HttpDoor, request: HttpRequest, timeout_s: float, now: datetime) -> Result:
    """One POST and what its answer means."""
    try:
        answer = await door.post(request, timeout_s)
    except HttpFailure as failure:
        outcome = Outcome.REFUSED if failure.forbidden else Outcome.RETRY
        return Result(outcome=outcome, detail=cut(failure.detail, MAX_DETAIL))
    return meaning(answer, now)


def meaning(answer: HttpAnswer, now: datetime) -> Result:
    """2xx: delivered. 408, 425, 429 and 5xx: later, as `Retry-After` says. Everything else will not get better by repeating."""
    status = answer.status
    if 200 <= status < 300:
        return Result(outcome=Outcome.DELIVERED, http_status=status)
    if status in TRY_AGAIN or status >= 500:
        retry_after_s = parse_retry_after(answer.headers.get("retry-after"), now)
        return Result(outcome=Outcome.RETRY, http_status=status, detail=_said(answer), retry_after_s=retry_after_s)
    if 300 <= status < 400:
        detail = "it answered with a redirect, which is not followed: write the new address into the config"
        return Result(outcome=Outcome.REFUSED, http_status=status, detail=detail)
    return Result(outcome=Outcome.REFUSED, http_status=status, detail=_said(answer))


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds (RFC 9110 §10.2.3: a number or a date), at most MAX_RETRY_AFTER_S; None when absent or not understood."""
    if text is None:
        return None
    if text.strip().isascii() and text.strip().isdigit():
        return min(float(text.strip()[:9]), MAX_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return min(max(0.0, (at - now).total_seconds()), MAX_RETRY_AFTER_S)


def _said(answer: HttpAnswer) -> str:
    text = " ".join(answer.body[:2000].decode("utf-8", "replace").split())
    return cut(f"it answered {answer.status}" + (f": {text}" if text else ""), MAX_DETAIL)
