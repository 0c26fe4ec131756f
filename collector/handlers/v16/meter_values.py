"""MeterValues, OCPP 1.6 §4.7: what a connector measures, in and outside of transactions. Connector 0 is the main meter."""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated
from chargenet.model.ids import connector
from collector.context import Context, Handled
from collector.handlers.measurements import taken_v16

_NOTHING: dict[str, Any] = {}


def handle(call: Any, context: Context) -> Handled:
    """Everything that can be used of the sampled values; ids 0 and −1 mean that there is no transaction."""
    deviations: list[FrameDeviated] = []
    said = call.transactionId
    transaction_id = str(said) if said and (isinstance(said, str) or said > 0) else None
    taken = taken_v16(call.meterValue, "meterValue", connector(call.connectorId), transaction_id, deviations)
    return Handled(_NOTHING, (*taken, *deviations) if deviations else tuple(taken))
