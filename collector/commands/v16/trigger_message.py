"""TriggerMessage, OCPP 1.6 §5.17, and the security whitepaper's ExtendedTriggerMessage for messages that the core does not know."""

from __future__ import annotations

from chargenet.commands import TriggerMessage
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated
from collector.commands.v16.connectors import connector_id

CORE = (
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
)
EXTENDED = {
    "LogStatusNotification": "LogStatusNotification",
    "SignChargePointCertificate": "SignChargePointCertificate",
    "SignCertificate": "SignChargePointCertificate",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
}
"""Message asked for → its name in ExtendedTriggerMessage."""


def trigger_message(command: TriggerMessage) -> Translated:
    """The core call where it knows the message, else the whitepaper's."""
    if command.message in CORE:
        action, requested = "TriggerMessage", command.message
    elif command.message in EXTENDED:
        action, requested = "ExtendedTriggerMessage", EXTENDED[command.message]
    else:
        known = ", ".join((*CORE, *EXTENDED))
        raise InvalidCall("TriggerMessage", f"OCPP 1.6 cannot ask for {command.message!r}, only for {known}")
    if command.connector is None:
        return action, {"requestedMessage": requested}
    return action, {"requestedMessage": requested, "connectorId": connector_id(action, command.connector)}
