"""GetConfiguration, OCPP 1.6 §5.8."""

from __future__ import annotations

from chargenet.commands import GetVariables
from collector.commands.limits import Translated, at_most

ACTION = "GetConfiguration"


def get_configuration(command: GetVariables) -> Translated:
    """No key at all asks for every key."""
    if not command.names:
        return ACTION, {}
    return ACTION, {"key": [at_most(ACTION, "key", name, 50) for name in command.names]}
