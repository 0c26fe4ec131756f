"""StatusNotification, OCPP 1.6 §4.9. Connector 0 is the charge point itself; a word that is no status is Unknown, kept as said."""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated, StatusReported
from chargenet.model.ids import connector
from chargenet.model.words import ConnectorStatus
from collector.context import Context, Handled
from collector.handlers.instants import instant
from collector.handlers.v16.blanks import said

_KNOWN = {status.value: status.value for status in ConnectorStatus}


def handle(call: Any, context: Context) -> Handled:
    """`timestamp` is when the status began, which may be days ago, and is often left out."""
    deviations: list[FrameDeviated] = []
    reported = StatusReported(
        connector=connector(call.connectorId),
        status=_KNOWN.get(call.status or "", ConnectorStatus.UNKNOWN.value),
        raw_status=call.status or "",
        error_code=said(call.errorCode),
        vendor_error_code=said(call.vendorErrorCode),
        vendor_id=said(call.vendorId),
        info=said(call.info),
        reported_at=instant(call.timestamp, "timestamp", deviations),
    )
    return Handled({}, (reported, *deviations))
