"""Authorize, OCPP 2.0.1 use cases C01 to C07.

Decided here: contract certificates are not vouched for. There is no certificate authority to check them against, so a token that
rests on one is Invalid, and the certificate's status is only said where a certificate was given (C07).
"""

from __future__ import annotations

from typing import Any

from chargenet.events import TokenPresented
from chargenet.model.record import Decision
from chargenet.model.words import TokenStatus
from collector.context import Context, Desk, Handled
from collector.handlers.v201 import tokens


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Ask the token table."""
    token = tokens.id_token(call.idToken)
    if token is None or _certificate(call):
        return Decision(token_status=TokenStatus.INVALID)
    answer = tokens.authorize(token, context, desk)
    return Decision(token_status=answer.status, token_parent=answer.parent, token_expires_at=answer.expires_at)


def handle(call: Any, context: Context) -> Handled:
    """Answer what was decided."""
    info = tokens.id_token_info(context.decision, context.protocol)
    reply: dict[str, Any] = {"idTokenInfo": info}
    if _certificate(call):
        reply["certificateStatus"] = "CertChainError"
    token = tokens.id_token(call.idToken)
    return Handled(reply, () if token is None else (TokenPresented(id_token=token, token_status=info["status"]),))


def _certificate(call: Any) -> bool:
    return bool(call.certificate or call.iso15118CertificateHashData)
