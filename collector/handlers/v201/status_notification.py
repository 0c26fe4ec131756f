"""StatusNotification, OCPP 2.0.1 use case G01. EVSE 0 is the charge point (a habit of 1.6, seen with evseId 0, connectorId 0)."""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated
from chargenet.model.ids import connector
from collector.context import Context, Handled
from collector.handlers.instants import instant
from collector.handlers.v201.statuses import status_reported


def handle(call: Any, context: Context) -> Handled:
    """A status that is missing altogether says nothing, and becomes no event."""
    deviations: list[FrameDeviated] = []
    reported_at = instant(call.timestamp, "timestamp", deviations)
    if call.connectorStatus is None:
        return Handled({}, tuple(deviations))
    status = status_reported(connector(call.evseId, call.connectorId), call.connectorStatus, reported_at)
    return Handled({}, (status, *deviations))
