"""TriggerMessage, OCPP 2.1 use case F06: two more messages than 2.0.1, and triggers that the vendor names."""

from __future__ import annotations

from chargenet.commands import TriggerMessage
from collector.commands.limits import Translated, at_most
from collector.commands.v201 import trigger_message as v201
from collector.commands.v201.evses import evse

MESSAGES = (*v201.MESSAGES, "SignV2G20Certificate")
CUSTOM = "CustomTrigger:"


def trigger_message(command: TriggerMessage) -> Translated:
    """As in 2.0.1; `CustomTrigger:<name>` asks for what the charge point lists in CustomizationCtrlr.CustomTriggers."""
    if command.message.startswith(CUSTOM):
        name = at_most("TriggerMessage", "customTrigger", command.message.removeprefix(CUSTOM), 50)
        return "TriggerMessage", {"requestedMessage": "CustomTrigger", "customTrigger": name, **evse(command.connector)}
    name = v201.requested(command.message, MESSAGES)
    return "TriggerMessage", {"requestedMessage": name, **evse(command.connector, with_connector=name == "StatusNotification")}
