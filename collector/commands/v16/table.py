"""Which OCPP 1.6 call each command becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargenet import commands
from collector.commands.limits import Translated
from collector.commands.v16.change_availability import change_availability
from collector.commands.v16.change_configuration import change_configuration
from collector.commands.v16.get_configuration import get_configuration
from collector.commands.v16.get_diagnostics import get_diagnostics
from collector.commands.v16.remote_start_transaction import remote_start_transaction
from collector.commands.v16.remote_stop_transaction import remote_stop_transaction
from collector.commands.v16.reset import reset
from collector.commands.v16.trigger_message import trigger_message
from collector.commands.v16.unlock_connector import unlock_connector
from collector.commands.v16.update_firmware import update_firmware

CALLS: Mapping[type[commands.Command], Callable[[Any], Translated]] = {
    commands.Reset: reset,
    commands.TriggerMessage: trigger_message,
    commands.ChangeAvailability: change_availability,
    commands.SetVariable: change_configuration,
    commands.GetVariables: get_configuration,
    commands.RemoteStart: remote_start_transaction,
    commands.RemoteStop: remote_stop_transaction,
    commands.UnlockConnector: unlock_connector,
    commands.GetDiagnostics: get_diagnostics,
    commands.UpdateFirmware: update_firmware,
}
