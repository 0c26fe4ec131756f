"""TransactionEvent, OCPP 2.0.1 block E: the life of a transaction, with its meter values and its tokens.

Decided here: what of it becomes which event, and which register a transaction starts or ends with. The EVSE is named once in a
transaction and belongs to all its events: the decision keeps it where a call leaves it out. A repeated event (same
transactionId and seqNo, new message id) is answered again and tells nothing; that it was repeated is said in collector/answer.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chargenet.events import (
    Event,
    FrameDeviated,
    MeasurementsTaken,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from chargenet.model.ids import ConnectorRef, connector, parse_label
from chargenet.model.record import Decision
from collector.context import Context, Desk, Handled
from collector.handlers.instants import instant
from collector.handlers.measurements import taken_2x
from collector.handlers.v201 import tokens
from collector.handlers.v201.registers import register_wh
from collector.quirks import flag

ACTION = "TransactionEvent"
_REGISTER_CONTEXTS = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}


def decide(call: Any, context: Context, desk: Desk) -> Decision:
    """Is it new, where does it happen, and may this token charge?"""
    duplicate_of = place = None
    transaction_id = _transaction_id(call)
    if transaction_id is not None:
        if call.seqNo is not None:
            matched = desk.event(context.charge_point_id, transaction_id, call.seqNo, call.eventType or "")
            duplicate_of = matched.duplicate_of
        if duplicate_of is None:
            place = _unsaid_place(call, context, desk, transaction_id)
    token = tokens.id_token(call.idToken)
    if token is None:
        return Decision(duplicate_of=duplicate_of, connector=place)
    answer = tokens.authorize(token, context, desk)
    return Decision(
        duplicate_of=duplicate_of,
        token_status=answer.status,
        token_parent=answer.parent,
        token_expires_at=answer.expires_at,
        connector=place,
    )


def handle(call: Any, context: Context) -> Handled:
    """idTokenInfo is answered only where a token was presented (E01 to E07)."""
    decision = context.decision
    reply = {} if call.idToken is None else {"idTokenInfo": tokens.id_token_info(decision, context.protocol)}
    if decision.duplicate_of is not None:
        return Handled(reply)
    deviations: list[FrameDeviated] = []
    at = instant(call.timestamp, "timestamp", deviations)
    place = parse_label(decision.connector) if decision.connector is not None else _said_place(call)
    transaction_id = _transaction_id(call)
    taken = taken_2x(call.meterValue, "meterValue", place, transaction_id, deviations) if call.meterValue else []
    happened = _happened(call, context, transaction_id, place, at, taken, deviations)
    order = (*taken, *happened) if call.eventType == "Ended" else (*happened, *taken)
    return Handled(reply, (*order, *deviations))


def _happened(
    call: Any,
    context: Context,
    transaction_id: str | None,
    place: ConnectorRef | None,
    at: datetime | None,
    taken: list[MeasurementsTaken],
    deviations: list[FrameDeviated],
) -> tuple[Event, ...]:
    """What became of the transaction, or nothing where it cannot be told which one it is."""
    if transaction_id is None and call.eventType != "Ended":
        deviations.append(flag("transaction-id-missing", "transactionInfo.transactionId", "no transaction is named", None, ACTION))
        return ()
    make = _EVENTS.get(call.eventType)
    if make is None:
        deviations.append(flag("event-type-unknown", "eventType", "taken as Updated", call.eventType, ACTION))
        make = _updated
    register = register_wh(taken, _REGISTER_CONTEXTS.get(call.eventType or "")) if taken else None
    return (make(call, context, transaction_id, place, at, register),)


def _started(
    call: Any, context: Context, transaction_id: str | None, place: ConnectorRef | None, at: datetime | None, register: int | None
) -> Event:
    info = call.transactionInfo
    return TransactionStarted(
        transaction_id=transaction_id or "",
        connector=place,
        started_at=at,
        energy_register_wh=register,
        id_token=tokens.id_token(call.idToken),
        token_status=context.decision.token_status,
        reservation_id=call.reservationId,
        remote_start_id=info.remoteStartId,
        seq_no=call.seqNo,
        offline=bool(call.offline),
        trigger=call.triggerReason,
        charging_state=info.chargingState,
    )


def _updated(
    call: Any, context: Context, transaction_id: str | None, place: ConnectorRef | None, at: datetime | None, register: int | None
) -> Event:
    info = call.transactionInfo
    return TransactionUpdated(
        transaction_id=transaction_id or "",
        connector=place,
        updated_at=at,
        seq_no=call.seqNo,
        offline=bool(call.offline),
        trigger=call.triggerReason,
        charging_state=info.chargingState,
        id_token=tokens.id_token(call.idToken),
        token_status=context.decision.token_status,
        remote_start_id=info.remoteStartId,
        reservation_id=call.reservationId,
        energy_register_wh=register,
    )


def _ended(
    call: Any, context: Context, transaction_id: str | None, place: ConnectorRef | None, at: datetime | None, register: int | None
) -> Event:
    info = call.transactionInfo
    return TransactionStopped(
        transaction_id=transaction_id,
        connector=place,
        stopped_at=at,
        energy_register_wh=register,
        reason=_reason(info),
        id_token=tokens.id_token(call.idToken),
        token_status=context.decision.token_status,
        seq_no=call.seqNo,
        offline=bool(call.offline),
        trigger=call.triggerReason,
        charging_state=None if info is None else info.chargingState,
        raw_transaction_id=None if info is None else info.transactionId,
    )


_EVENTS: dict[str | None, Callable[..., Event]] = {"Started": _started, "Updated": _updated, "Ended": _ended}


def _unsaid_place(call: Any, context: Context, desk: Desk, transaction_id: str) -> str | None:
    """The label of the transaction's connector, where the call does not say it itself; `evse` need be sent only once."""
    evse = call.evse
    evse_id, connector_id = (None, None) if evse is None else (evse.id, evse.connectorId)
    place = desk.place(context.charge_point_id, transaction_id, evse_id, connector_id)
    if call.eventType == "Ended":
        desk.ended(context.charge_point_id, transaction_id)
    return None if place is None or place == _said_place(call) else place.label


def _said_place(call: Any) -> ConnectorRef | None:
    evse = call.evse
    return None if evse is None else connector(evse.id, evse.connectorId)


def _transaction_id(call: Any) -> str | None:
    """The charge point's own id; blank ones name nothing."""
    info = call.transactionInfo
    said: str | None = None if info is None else info.transactionId
    return said if said and said.strip() else None


def _reason(info: Any) -> str | None:
    """stoppedReason may be left out only when it is Local (2.0.1 part 2, TransactionType)."""
    if info is None:
        return None
    reason: str = info.stoppedReason or "Local"
    return reason
