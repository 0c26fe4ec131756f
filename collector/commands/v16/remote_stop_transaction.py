"""RemoteStopTransaction, OCPP 1.6 §5.12: transaction ids are integers."""

from __future__ import annotations

from chargenet.commands import RemoteStop
from chargenet.errors import InvalidCall
from collector.commands.limits import Translated

ACTION = "RemoteStopTransaction"


def remote_stop_transaction(command: RemoteStop) -> Translated:
    """Raises InvalidCall for ids that are not a number, which no 1.6 transaction has."""
    text = command.transaction_id.strip()
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise InvalidCall(ACTION, f"{command.transaction_id!r} is not an OCPP 1.6 transaction id: those are whole numbers")
    return ACTION, {"transactionId": int(text)}
