"""Reset, OCPP 1.6 §5.14."""

from __future__ import annotations

from chargenet.commands import Reset
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated


def reset(command: Reset) -> Translated:
    """Hard or Soft; 1.6 resets the whole charge point only."""
    if command.evse_id:
        raise InvalidCall("Reset", "OCPP 1.6 resets the whole charge point, not one EVSE")
    return "Reset", {"type": "Hard" if command.immediate else "Soft"}
