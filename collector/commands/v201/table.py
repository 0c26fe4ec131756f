"""Which OCPP 2.0.1 call each command becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargenet import commands
from collector.commands.limits import Translated
from collector.commands.v201.change_availability import change_availability
from collector.commands.v201.get_log import get_log
from collector.commands.v201.get_variables import get_variables
from collector.commands.v201.request_start_transaction import request_start_transaction
from collector.commands.v201.request_stop_transaction import request_stop_transaction
from collector.commands.v201.reset import reset
from collector.commands.v201.set_variables import set_variables
from collector.commands.v201.trigger_message import trigger_message
from collector.commands.v201.unlock_connector import unlock_connector
from collector.commands.v201.update_firmware import update_firmware

CALLS: Mapping[type[commands.Command], Callable[[Any], Translated]] = {
    commands.Reset: reset,
    commands.TriggerMessage: trigger_message,
    commands.ChangeAvailability: change_availability,
    commands.SetVariable: set_variables,
    commands.GetVariables: get_variables,
    commands.RemoteStart: request_start_transaction,
    commands.RemoteStop: request_stop_transaction,
    commands.UnlockConnector: unlock_connector,
    commands.GetDiagnostics: get_log,
    commands.UpdateFirmware: update_firmware,
}
