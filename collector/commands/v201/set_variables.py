"""SetVariables, OCPP 2.0.1 use case B05."""

from __future__ import annotations

from chargenet.commands import SetVariable
from collector.commands.limits import Translated, at_most
from collector.commands.v201.variables import address

ACTION = "SetVariables"


def set_variables(command: SetVariable, value_limit: int = 1000) -> Translated:
    """One variable per call, so that its outcome is the call's outcome."""
    value = at_most(ACTION, "value", command.value, value_limit)
    return ACTION, {"setVariableData": [{"attributeValue": value, **address(ACTION, command.name)}]}
