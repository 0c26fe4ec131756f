"""Authorize, OCPP 1.6 §4.1: may this ID tag charge? The one call of the core profile that is a question, not a report."""

from __future__ import annotations

from typing import Any

from chargenet.events import TokenPresented
from chargenet.model.record import Decision
from chargenet.model.words import TokenStatus
from collector.context import Context, Desk, Handled
from collector.handlers.v16 import tokens


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Ask the token table."""
    answer = tokens.authorize(tokens.id_token(call.idTag), context, desk)
    return Decision(token_status=answer.status, token_parent=answer.parent, token_expires_at=answer.expires_at)


def handle(call: Any, context: Context) -> Handled:
    """Answer what was decided."""
    reply = {"idTagInfo": tokens.id_tag_info(context.decision)}
    token = tokens.id_token(call.idTag)
    if token is None:
        return Handled(reply)
    status = str(context.decision.token_status or TokenStatus.INVALID)
    return Handled(reply, (TokenPresented(id_token=token, token_status=status),))
