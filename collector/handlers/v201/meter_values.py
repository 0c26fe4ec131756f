"""MeterValues, OCPP 2.0.1 use case J01: readings outside of transactions; EVSE 0 is the charge point's own meter."""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated
from chargenet.model.ids import connector
from collector.context import Context, Handled
from collector.handlers.measurements import taken_2x


def handle(call: Any, context: Context) -> Handled:
    """Everything that can be used of the sampled values."""
    deviations: list[FrameDeviated] = []
    taken = taken_2x(call.meterValue, "meterValue", connector(call.evseId), None, deviations)
    return Handled({}, (*taken, *deviations))
