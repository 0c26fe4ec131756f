"""ChangeAvailability, OCPP 1.6 §5.2."""

from __future__ import annotations

from chargenet.commands import ChangeAvailability
from collector.commands.limits import Translated
from collector.commands.v16.connectors import connector_id


def change_availability(command: ChangeAvailability) -> Translated:
    """connectorId 0 is the whole charge point."""
    number = 0 if command.connector is None else connector_id("ChangeAvailability", command.connector)
    return "ChangeAvailability", {"connectorId": number, "type": "Operative" if command.operative else "Inoperative"}
