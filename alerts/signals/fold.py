"""Facts → signals of one charge point. Decided here: which event changes what; each topic has its own module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.signals import commands, presence, readings, statuses, tokens, transactions
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.words import OutcomeStatus

Handler = Callable[[PointSignals, Fact, Any], None]


def apply(point: PointSignals, fact: Fact) -> None:
    """Changes `point` by one fact that is newer than it."""
    point.sequence = fact.sequence
    events = fact.events
    if len(events) == 1 and type(events[0]) is e.MeasurementsTaken:  # most facts
        point.heard_at, point.heard_sequence, point.protocol = fact.received_at, fact.sequence, fact.protocol
        readings.measured(point, fact, events[0])
        return
    if _is_heard(fact):
        point.heard_at, point.heard_sequence, point.protocol = fact.received_at, fact.sequence, fact.protocol
    for event in events:
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(point, fact, event)


def _is_heard(fact: Fact) -> bool:
    """Not by the end of its connection, a call of ours, or somebody who may not be it."""
    first = fact.events[0] if fact.events else None
    if type(first) not in _DOUBTFUL:
        return True
    if isinstance(first, e.CommandAnswered):
        return first.status not in _NOT_ANSWERED
    return isinstance(first, e.SecurityEventReported) and bool(fact.action)


_DOUBTFUL = frozenset({e.CommandAnswered, e.SecurityEventReported, e.ConnectionClosed, e.CommandSent, e.DiagnosticsUploaded})
_NOT_ANSWERED = frozenset({OutcomeStatus.TIMED_OUT.value, OutcomeStatus.NOT_CONNECTED.value})
HANDLERS: dict[type[Event], Handler] = {
    e.ConnectionOpened: presence.opened,
    e.ConnectionClosed: presence.closed,
    e.ChargePointBooted: presence.booted,
    e.VariablesReported: presence.variables,
    e.StatusReported: statuses.reported,
    e.DeviceEventReported: statuses.device_event,
    e.MeasurementsTaken: readings.measured,
    e.TransactionStarted: transactions.started,
    e.TransactionUpdated: transactions.updated,
    e.TransactionStopped: transactions.stopped,
    e.TokenPresented: tokens.authorize,
    e.SecurityEventReported: tokens.security,
    e.FirmwareStatusReported: tokens.firmware,
    e.CommandSent: commands.sent,
    e.CommandAnswered: commands.answered,
}
