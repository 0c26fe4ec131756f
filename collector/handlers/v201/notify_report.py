"""NotifyReport, OCPP 2.0.1 use cases B07 and B08: variables of the device model, one part of a report after the other."""

from __future__ import annotations

from typing import Any

from chargenet.events import VariablesReported
from collector.context import Context, Handled
from collector.device_model import Variable


def handle(call: Any, context: Context) -> Handled:
    """Every attribute under its name; what can only be written has no value."""
    values: dict[str, str | None] = {}
    for data in call.reportData or ():
        for attribute in data.variableAttribute or ():
            values[_name(data, attribute.type)] = attribute.value
    return Handled({}, (VariablesReported(values=values, request_id=call.requestId, to_be_continued=bool(call.tbc)),))


def _name(data: Any, attribute: str | None) -> str:
    component, variable = data.component, data.variable
    evse = None if component is None else component.evse
    return Variable(
        component=(component and component.name) or "?",
        variable=(variable and variable.name) or "?",
        component_instance=None if component is None else component.instance,
        instance=None if variable is None else variable.instance,
        evse_id=None if evse is None else evse.id,
        connector_id=None if evse is None else evse.connectorId,
        attribute=attribute or "Actual",
    ).name
