"""LogStatusNotification, OCPP 2.0.1 use case N01: how far the upload of a log has come."""

from __future__ import annotations

from typing import Any

from chargenet.events import DiagnosticsStatusReported
from collector.context import Context, Handled
from collector.handlers.v201.status_info import status_info


def handle(call: Any, context: Context) -> Handled:
    """A status that is missing says nothing."""
    if call.status is None:
        return Handled({})
    return Handled({}, (DiagnosticsStatusReported(status=call.status, request_id=call.requestId, info=status_info(call)),))
