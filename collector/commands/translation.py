"""Command → OCPP call. Decided here: which table a version uses, and that a raw call is checked for its direction only.

The connection validates every payload against its request schema before it leaves; here only what a person can be told better
than a schema can say it is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargenet.commands import Call, Command
from chargenet.model.words import Protocol
from collector.commands.directory import require
from collector.commands.limits import Translated
from collector.commands.v16 import table as v16
from collector.commands.v21 import table as v21
from collector.commands.v201 import table as v201

CALLS: Mapping[Protocol, Mapping[type[Command], Callable[[Any], Translated]]] = {
    Protocol.OCPP16: v16.CALLS,
    Protocol.OCPP201: v201.CALLS,
    Protocol.OCPP21: v21.CALLS,
}


def translate(command: Command, protocol: Protocol) -> Translated:
    """(action, payload) for a charge point of this version. Raises InvalidCall when the version cannot say it."""
    if isinstance(command, Call):
        return require(command.action, protocol), command.payload
    return CALLS[protocol][type(command)](command)
