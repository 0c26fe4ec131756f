"""UnlockConnector, OCPP 1.6 §5.18."""

from __future__ import annotations

from chargenet.commands import UnlockConnector
from collector.commands.limits import Translated
from collector.commands.v16.connectors import connector_id


def unlock_connector(command: UnlockConnector) -> Translated:
    """Release the plug."""
    return "UnlockConnector", {"connectorId": connector_id("UnlockConnector", command.connector)}
