"""SignedFirmwareStatusNotification, OCPP 1.6 security whitepaper."""

from __future__ import annotations

from typing import Any

from chargenet.events import FirmwareStatusReported
from collector.context import Context, Handled


def handle(call: Any, context: Context) -> Handled:
    """`requestId` names the SignedUpdateFirmware that it is about."""
    return Handled({}, (FirmwareStatusReported(status=call.status or "Unknown", request_id=call.requestId, signed=True),))
