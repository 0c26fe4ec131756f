"""ChangeConfiguration, OCPP 1.6 §5.3: key CiString50, value CiString500."""

from __future__ import annotations

from chargenet.commands import SetVariable
from collector.commands.limits import Translated, at_most

ACTION = "ChangeConfiguration"


def change_configuration(command: SetVariable) -> Translated:
    """One key per call; that is all 1.6 has."""
    return ACTION, {"key": at_most(ACTION, "key", command.name, 50), "value": at_most(ACTION, "value", command.value, 500)}
