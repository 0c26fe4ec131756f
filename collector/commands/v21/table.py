"""Which OCPP 2.1 call each command becomes: those of 2.0.1 with longer fields (address 2000, value 2500, token 255 characters)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chargenet import commands
from collector.commands.limits import Translated
from collector.commands.v21.trigger_message import trigger_message
from collector.commands.v201.change_availability import change_availability
from collector.commands.v201.get_log import get_log
from collector.commands.v201.get_variables import get_variables
from collector.commands.v201.request_start_transaction import request_start_transaction
from collector.commands.v201.request_stop_transaction import request_stop_transaction
from collector.commands.v201.reset import reset
from collector.commands.v201.set_variables import set_variables
from collector.commands.v201.unlock_connector import unlock_connector
from collector.commands.v201.update_firmware import update_firmware

CALLS: Mapping[type[commands.Command], Callable[[Any], Translated]] = {
    commands.Reset: reset,
    commands.TriggerMessage: trigger_message,
    commands.ChangeAvailability: change_availability,
    commands.SetVariable: partial(set_variables, value_limit=2500),
    commands.GetVariables: get_variables,
    commands.RemoteStart: partial(request_start_transaction, token_limit=255),
    commands.RemoteStop: request_stop_transaction,
    commands.UnlockConnector: unlock_connector,
    commands.GetDiagnostics: partial(get_log, location_limit=2000),
    commands.UpdateFirmware: partial(update_firmware, location_limit=2000),
}
