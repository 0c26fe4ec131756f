"""Open transactions. Decided here: when one is open, and that a newer one at the same connector ends an older one.

The transactions read model keeps their truth for bills; here only what runs now matters.
"""

from __future__ import annotations

from datetime import timedelta

from alerts.signals.clocks import sample
from alerts.signals.connector import OpenTransaction
from alerts.signals.marks import ID_LENGTH, short
from alerts.signals.point import MAX_TRANSACTIONS, PointSignals
from alerts.signals.readings import connector_register, transaction_register
from alerts.signals.tokens import NOT_A_REFUSAL, presented
from chargenet import events as e
from chargenet.events import Fact

LATE = timedelta(minutes=10)
"""A start that is older than this when it comes was kept in a queue."""


def started(point: PointSignals, fact: Fact, event: e.TransactionStarted) -> None:
    """A repeat of a known start changes nothing but what it adds."""
    presented(point, fact, event.id_token, event.token_status)
    label = event.connector.label if event.connector else None
    late = event.offline or (event.started_at is not None and fact.received_at - event.started_at > LATE)
    transaction = _known(point, fact, event.transaction_id, label)
    transaction.offline = transaction.offline or late
    transaction.accepted = event.token_status is None or event.token_status in NOT_A_REFUSAL
    _state(transaction, fact, event.charging_state)
    if not late:
        sample(point, fact, event.started_at)
    if event.energy_register_wh is not None:
        register_wh = float(event.energy_register_wh)
        if transaction.start_register_wh is None:
            transaction_register(transaction, register_wh, fact)
        if label is not None:
            connector_register(point.connector(label), register_wh, fact, event.started_at, begins=True)


def updated(point: PointSignals, fact: Fact, event: e.TransactionUpdated) -> None:
    """Its registers come as measurements of the same frame."""
    presented(point, fact, event.id_token, event.token_status)
    transaction = _known(point, fact, event.transaction_id, event.connector.label if event.connector else None)
    transaction.offline = transaction.offline or event.offline
    if event.token_status is not None:
        transaction.accepted = event.token_status in NOT_A_REFUSAL
    _state(transaction, fact, event.charging_state)
    if not event.offline:
        sample(point, fact, event.updated_at)


def stopped(point: PointSignals, fact: Fact, event: e.TransactionStopped) -> None:
    """A stop without a usable id ends the only transaction that is open at its connector."""
    label = event.connector.label if event.connector else None
    transaction = None if event.transaction_id is None else point.transactions.pop(event.transaction_id[:ID_LENGTH], None)
    if transaction is None and event.transaction_id is None:
        open_here = [each for each in point.transactions.values() if label is None or each.connector == label]
        transaction = point.transactions.pop(open_here[0].transaction_id) if len(open_here) == 1 else None
    label = label or (transaction.connector if transaction else None)
    if not event.offline:
        sample(point, fact, event.stopped_at)
    if event.energy_register_wh is not None and label is not None:
        connector_register(point.connector(label), float(event.energy_register_wh), fact, event.stopped_at)


def _known(point: PointSignals, fact: Fact, transaction_id: str, label: str | None) -> OpenTransaction:
    key = transaction_id[:ID_LENGTH]
    transaction = point.transactions.get(key)
    if transaction is None:
        transaction = OpenTransaction(
            transaction_id=key, connector=label, started_at=fact.received_at, started_sequence=fact.sequence
        )
        _end_others(point, label)
        point.transactions[key] = transaction
    elif transaction.connector is None and label is not None:
        _end_others(point, label)
        transaction.connector = label
    return transaction


def _end_others(point: PointSignals, label: str | None) -> None:
    if label is not None:
        for other in [each.transaction_id for each in point.transactions.values() if each.connector == label]:
            del point.transactions[other]
    while len(point.transactions) >= MAX_TRANSACTIONS:
        del point.transactions[next(iter(point.transactions))]


def _state(transaction: OpenTransaction, fact: Fact, charging_state: str | None) -> None:
    state = short(charging_state, 64)
    if state is None or state == transaction.charging_state:
        return
    transaction.charging_state, transaction.charging_state_at = state, fact.received_at
    transaction.charging_state_sequence = fact.sequence
