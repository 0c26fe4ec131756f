"""SecurityEventNotification, OCPP 1.6 security whitepaper."""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated, SecurityEventReported
from collector.context import Context, Handled
from collector.handlers.instants import instant
from collector.handlers.v16.blanks import said


def handle(call: Any, context: Context) -> Handled:
    """An event without a type is still one: something happened that the charge point thinks is about security."""
    deviations: list[FrameDeviated] = []
    occurred_at = instant(call.timestamp, "timestamp", deviations)
    event = SecurityEventReported(type=call.type or "", occurred_at=occurred_at, info=said(call.techInfo))
    return Handled({}, (event, *deviations))
