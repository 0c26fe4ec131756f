"""RequestStartTransaction, OCPP 2.0.1 use cases F01 and F02."""

from __future__ import annotations

from chargenet.commands import RemoteStart
from chargenet.model.words import TokenKind
from collector.commands.limits import Translated, at_most, present

ACTION = "RequestStartTransaction"


def request_start_transaction(command: RemoteStart, token_limit: int = 36) -> Translated:
    """A token of unknown kind goes as Central: the kind for ids that the server presents. An EVSE is all that can be chosen."""
    token = command.id_token
    kind = TokenKind.CENTRAL.value if token.kind == TokenKind.UNKNOWN else str(token.kind)
    return ACTION, {
        "idToken": {"idToken": at_most(ACTION, "idToken", token.value, token_limit), "type": kind},
        "remoteStartId": command.remote_start_id,
        **present(evseId=None if command.connector is None else command.connector.evse_id),
    }
