"""UnlockConnector, OCPP 2.0.1 use case F05."""

from __future__ import annotations

from chargenet.commands import UnlockConnector
from collector.commands.limits import Translated


def unlock_connector(command: UnlockConnector) -> Translated:
    """Release the plug."""
    return "UnlockConnector", {"evseId": command.connector.evse_id, "connectorId": command.connector.connector_id}
