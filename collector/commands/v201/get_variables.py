"""GetVariables, OCPP 2.0.1 use case B06, and GetBaseReport (B07) for everything there is."""

from __future__ import annotations

from chargenet.commands import GetVariables
from collector.commands.limits import Translated
from collector.commands.v201.variables import address


def get_variables(command: GetVariables) -> Translated:
    """Named variables come in the call result; the full inventory comes later, as NotifyReport with this request id."""
    if not command.names:
        return "GetBaseReport", {"requestId": command.request_id, "reportBase": "FullInventory"}
    return "GetVariables", {"getVariableData": [address("GetVariables", name) for name in command.names]}
