"""StartTransaction, OCPP 1.6 §4.8. A report, not a request for permission: the token is judged, the transaction is kept regardless.

Decided here: nothing about identity of transactions, which the ledger behind the desk decides by content.
"""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated, TransactionStarted
from chargenet.model.ids import connector
from chargenet.model.record import Decision
from chargenet.model.words import TokenStatus
from collector.context import Context, Desk, Handled
from collector.handlers.instants import instant
from collector.handlers.v16 import tokens
from collector.quirks import flag


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """A new transaction id, or the one that this content already got; and what the token table says."""
    token = tokens.id_token(call.idTag)
    matched = desk.start(context.charge_point_id, connector(call.connectorId), token, call.timestamp or "", call.meterStart)
    answer = tokens.authorize(token, context, desk)
    return Decision(
        transaction_id=matched.transaction_id,
        duplicate_of=matched.duplicate_of,
        token_status=answer.status,
        token_parent=answer.parent,
        token_expires_at=answer.expires_at,
    )


def handle(call: Any, context: Context) -> Handled:
    """The charge point needs a transaction id even when its token is refused."""
    decision = context.decision
    transaction_id = decision.transaction_id or 0
    reply = {"idTagInfo": tokens.id_tag_info(decision), "transactionId": transaction_id}
    deviations: list[FrameDeviated] = []
    if call.meterStart is not None and call.meterStart < 0:
        deviations.append(flag("register-negative", "meterStart", f"a register of {call.meterStart} Wh", call.meterStart))
    started = TransactionStarted(
        transaction_id=str(transaction_id),
        connector=connector(call.connectorId),
        started_at=instant(call.timestamp, "timestamp", deviations),
        energy_register_wh=call.meterStart,
        id_token=tokens.id_token(call.idTag),
        token_status=str(decision.token_status or TokenStatus.INVALID),
        reservation_id=call.reservationId,
    )
    return Handled(reply, (started, *deviations))
