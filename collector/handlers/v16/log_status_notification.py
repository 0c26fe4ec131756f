"""LogStatusNotification, OCPP 1.6 security whitepaper: how the upload that GetLog asked for is going."""

from __future__ import annotations

from typing import Any

from chargenet.events import DiagnosticsStatusReported
from collector.context import Context, Handled


def handle(call: Any, context: Context) -> Handled:
    """`requestId` names the GetLog that it is about."""
    return Handled({}, (DiagnosticsStatusReported(status=call.status or "Unknown", request_id=call.requestId),))
