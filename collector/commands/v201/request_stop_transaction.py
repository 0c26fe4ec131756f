"""RequestStopTransaction, OCPP 2.0.1 use case F03."""

from __future__ import annotations

from chargenet.commands import RemoteStop
from collector.commands.limits import Translated, at_most

ACTION = "RequestStopTransaction"


def request_stop_transaction(command: RemoteStop) -> Translated:
    """Transaction ids are the charge point's own text."""
    return ACTION, {"transactionId": at_most(ACTION, "transactionId", command.transaction_id, 36)}
