"""Reset, OCPP 2.0.1 use cases B11 and B12."""

from __future__ import annotations

from chargenet.commands import Reset
from collector.commands.limits import Translated, present


def reset(command: Reset) -> Translated:
    """Immediate ends transactions, OnIdle waits for them; of one EVSE where its id is given."""
    return "Reset", {"type": "Immediate" if command.immediate else "OnIdle", **present(evseId=command.evse_id)}
