"""ChangeAvailability, OCPP 2.0.1 use cases G03 and G04."""

from __future__ import annotations

from chargenet.commands import ChangeAvailability
from collector.commands.limits import Translated
from collector.commands.v201.evses import evse


def change_availability(command: ChangeAvailability) -> Translated:
    """No evse is the whole charge point."""
    status = "Operative" if command.operative else "Inoperative"
    return "ChangeAvailability", {"operationalStatus": status, **evse(command.connector)}
