"""ID tags of OCPP 1.6: asked about in `decide`, answered from the decision. Decided here: what an idTagInfo says."""

from __future__ import annotations

from typing import Any

from chargenet.model.ids import IdToken
from chargenet.model.record import Decision
from chargenet.model.words import TokenStatus
from chargenet.ports import TokenAnswer
from collector.context import Context, Desk
from collector.handlers.instants import wire

_LONGEST_TAG = 20
_INVALID = TokenAnswer(TokenStatus.INVALID)


def id_token(id_tag: str | None) -> IdToken | None:
    """idTag → IdToken; None where there is none or it is empty. Over-long ones are kept whole."""
    return IdToken(id_tag) if id_tag else None


def authorize(token: IdToken | None, context: Context, desk: Desk) -> TokenAnswer:
    """What the token table says; a call that should carry a token and does not is answered Invalid."""
    return _INVALID if token is None else desk.authorize(token, context.received_at)


def id_tag_info(decision: Decision) -> dict[str, Any]:
    """IdTagInfo for the decision; a status that nobody decided is Invalid."""
    info: dict[str, Any] = {"status": str(decision.token_status or TokenStatus.INVALID)}
    if decision.token_expires_at is not None:
        info["expiryDate"] = wire(decision.token_expires_at)
    if decision.token_parent and len(decision.token_parent) <= _LONGEST_TAG:
        info["parentIdTag"] = decision.token_parent
    return info
