"""StopTransaction, OCPP 1.6 §4.10. Always acknowledged: a charge point that is refused keeps it and sends it for ever.

Decided here: what it tells. Which transaction −1, 0 or an id that nobody gave belongs to, the ledger behind the desk decides.
"""

from __future__ import annotations

from typing import Any

from chargenet.events import FrameDeviated, TransactionStopped
from chargenet.model.ids import parse_label
from chargenet.model.record import Decision
from collector.context import Context, Desk, Handled
from collector.handlers.instants import instant
from collector.handlers.measurements import taken_v16
from collector.handlers.v16 import tokens
from collector.quirks import flag


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Which transaction it ends, whether it was said before, and what the token table says of who stopped it."""
    token = tokens.id_token(call.idTag)
    said = call.transactionId if isinstance(call.transactionId, int) else None
    matched = desk.stop(context.charge_point_id, said, token, call.timestamp or "", call.meterStop)
    connector = None if matched.connector is None else matched.connector.label
    if token is None:
        return Decision(transaction_id=matched.transaction_id, duplicate_of=matched.duplicate_of, connector=connector)
    answer = desk.authorize(token, context.received_at)
    return Decision(
        transaction_id=matched.transaction_id,
        duplicate_of=matched.duplicate_of,
        token_status=answer.status,
        token_parent=answer.parent,
        token_expires_at=answer.expires_at,
        connector=connector,
    )


def handle(call: Any, context: Context) -> Handled:
    """The readings of transactionData come before the stop that ends them."""
    decision = context.decision
    token = tokens.id_token(call.idTag)
    deviations: list[FrameDeviated] = []
    transaction_id = _transaction_id(call.transactionId, decision, deviations)
    if call.meterStop is not None and call.meterStop < 0:
        deviations.append(flag("register-negative", "meterStop", f"a register of {call.meterStop} Wh", call.meterStop))
    connector = None if decision.connector is None else parse_label(decision.connector)
    taken = taken_v16(call.transactionData, "transactionData", connector, transaction_id, deviations)
    stopped = TransactionStopped(
        transaction_id=transaction_id,
        connector=connector,
        stopped_at=instant(call.timestamp, "timestamp", deviations),
        energy_register_wh=call.meterStop,
        reason=call.reason,
        id_token=token,
        token_status=None if token is None else decision.token_status,
        raw_transaction_id=None if call.transactionId is None else str(call.transactionId),
    )
    reply = {} if token is None else {"idTagInfo": tokens.id_tag_info(decision)}
    return Handled(reply, (*taken, stopped, *deviations))


def _transaction_id(said: int | str | None, decision: Decision, deviations: list[FrameDeviated]) -> str | None:
    """The one that was matched, else the one that was said, unless that can mean nothing."""
    meaningless = said is None or (isinstance(said, int) and said <= 0)
    if meaningless and said is not None:
        deviations.append(flag("transaction-id-none", "transactionId", f"transaction id {said} names no transaction", said))
    if decision.transaction_id is not None:
        return str(decision.transaction_id)
    return None if meaningless else str(said)
