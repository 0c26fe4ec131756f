"""Reports that need no more than a plain answer. Decided here: they are kept as ReportReceived, with the payload as it came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargenet.events import ReportReceived
from collector.context import Context, Handled, Handler
from collector.ocpp.schemas import payload_of

_NOTHING: Mapping[str, Any] = {}


def report(action: str, reply: Mapping[str, Any] = _NOTHING) -> Handler:
    """A handler that answers every call of `action` alike."""

    def handle(call: Any, context: Context) -> Handled:
        return received(action, call, dict(reply))

    return handle


def report_answered(action: str, answer: Callable[[Any, Context], Mapping[str, Any]]) -> Handler:
    """A handler whose answer depends on the call."""

    def handle(call: Any, context: Context) -> Handled:
        return received(action, call, answer(call, context))

    return handle


def received(action: str, call: Any, reply: Mapping[str, Any]) -> Handled:
    """The answer, and the call as an event."""
    return Handled(reply, (ReportReceived(action=action, payload=payload_of(call)),))


def refusal(status: str, reason_code: str, why: str) -> Mapping[str, Any]:
    """A refusal with StatusInfoType: `reason_code` is one of the standard's predefined ones (2.1 part 2 appendix 5)."""
    return {"status": status, "statusInfo": {"reasonCode": reason_code, "additionalInfo": why}}
