"""RemoteStartTransaction, OCPP 1.6 §5.11: idTag CiString20."""

from __future__ import annotations

from chargenet.commands import RemoteStart
from collector.commands.limits import Translated, at_most
from collector.commands.v16.connectors import connector_id

ACTION = "RemoteStartTransaction"


def remote_start_transaction(command: RemoteStart) -> Translated:
    """1.6 has no remoteStartId: the start is recognised by its idTag."""
    id_tag = at_most(ACTION, "idTag", command.id_token.value, 20)
    if command.connector is None:
        return ACTION, {"idTag": id_tag}
    return ACTION, {"idTag": id_tag, "connectorId": connector_id(ACTION, command.connector)}
