"""TriggerMessage, OCPP 2.0.1 use case F06."""

from __future__ import annotations

from chargenet.commands import TriggerMessage
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated
from collector.commands.v201.evses import evse

MESSAGES = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "PublishFirmwareStatusNotification",
    "SignChargingStationCertificate",
    "SignCombinedCertificate",
    "SignV2GCertificate",
    "StatusNotification",
    "TransactionEvent",
)
SAME = {
    "DiagnosticsStatusNotification": "LogStatusNotification",
    "SignedFirmwareStatusNotification": "FirmwareStatusNotification",
    "SignCertificate": "SignChargingStationCertificate",
    "SignChargePointCertificate": "SignChargingStationCertificate",
}
"""What 1.6 calls otherwise, so that a caller need not know the charge point's version."""


def requested(message: str, known: tuple[str, ...]) -> str:
    """The MessageTriggerEnumType value for an action name; raises InvalidCall when the version cannot trigger it."""
    name = SAME.get(message, message)
    if name not in known:
        raise InvalidCall(
            "TriggerMessage", f"the charge point's OCPP version cannot ask for {message!r}, only for {', '.join(known)}"
        )
    return name


def trigger_message(command: TriggerMessage) -> Translated:
    """The connector is named for StatusNotification alone (F06.FR.12); the other messages are about an EVSE."""
    name = requested(command.message, MESSAGES)
    return "TriggerMessage", {"requestedMessage": name, **evse(command.connector, with_connector=name == "StatusNotification")}
