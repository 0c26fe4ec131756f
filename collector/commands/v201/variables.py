"""How a variable of the device model is addressed in GetVariables and SetVariables."""

from __future__ import annotations

from typing import Any

from chargenet.errors import InvalidCall
from collector.commands.limits import at_most, present
from collector.device_model import parse


def address(action: str, name: str) -> dict[str, Any]:
    """`component`, `variable` and, unless it is Actual, `attributeType`; raises InvalidCall for a name that cannot be read."""
    try:
        variable = parse(name)
    except ValueError as error:
        raise InvalidCall(action, str(error)) from error
    for field, text in (("component", variable.component), ("variable", variable.variable)):
        at_most(action, f"the name of the {field}", text, 50)
    for field, instance in (("component", variable.component_instance), ("variable", variable.instance)):
        at_most(action, f"the instance of the {field}", instance or "", 50)
    evse = None if variable.evse_id is None else present(id=variable.evse_id, connectorId=variable.connector_id)
    return {
        "component": {"name": variable.component, **present(instance=variable.component_instance, evse=evse)},
        "variable": {"name": variable.variable, **present(instance=variable.instance)},
        **({} if variable.attribute == "Actual" else {"attributeType": variable.attribute}),
    }
