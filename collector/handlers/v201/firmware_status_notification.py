"""FirmwareStatusNotification, OCPP 2.0.1 use case L01: what the charge point says of an update, which is not yet proof of it."""

from __future__ import annotations

from typing import Any

from chargenet.events import FirmwareStatusReported
from collector.context import Context, Handled
from collector.handlers.v201.status_info import status_info


def handle(call: Any, context: Context) -> Handled:
    """A status that is missing says nothing."""
    if call.status is None:
        return Handled({})
    return Handled({}, (FirmwareStatusReported(status=call.status, request_id=call.requestId, info=status_info(call)),))
