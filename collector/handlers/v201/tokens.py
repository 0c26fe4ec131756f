"""ID tokens of OCPP 2.x: asked about in `decide`, answered from the decision. Decided here: what an idTokenInfo says."""

from __future__ import annotations

from typing import Any

from chargenet.model.ids import IdToken
from chargenet.model.record import Decision
from chargenet.model.words import Protocol, TokenKind, TokenStatus
from chargenet.ports import TokenAnswer
from collector.context import Context, Desk
from collector.handlers.instants import wire

_LONGEST_TOKEN = {Protocol.OCPP201: 36, Protocol.OCPP21: 255}


def id_token(said: Any) -> IdToken | None:
    """IdTokenType → IdToken; None where there is none, or nothing in it."""
    if said is None or (said.idToken is None and said.type is None):
        return None
    return IdToken(said.idToken or "", said.type or TokenKind.UNKNOWN)


def authorize(token: IdToken, context: Context, desk: Desk) -> TokenAnswer:
    """What the token table says. NoAuthorization is a start button: there is nobody to refuse (C02)."""
    if token.kind == TokenKind.NO_AUTHORIZATION:
        return TokenAnswer(TokenStatus.ACCEPTED)
    return desk.authorize(token, context.received_at)


def id_token_info(decision: Decision, protocol: str) -> dict[str, Any]:
    """IdTokenInfoType for the decision; a status that nobody decided is Invalid."""
    info: dict[str, Any] = {"status": str(decision.token_status or TokenStatus.INVALID)}
    if decision.token_expires_at is not None:
        info["cacheExpiryDateTime"] = wire(decision.token_expires_at)
    parent = decision.token_parent
    if parent and len(parent) <= _LONGEST_TOKEN.get(Protocol(protocol), 36):
        info["groupIdToken"] = {"idToken": parent, "type": TokenKind.CENTRAL.value}
    return info
