"""What happened at each charge point in the 28 days before, counted as the gate counts. Decided here: which stored rows stand for
which facts, and what cannot be known from them.

Rows of the read models (connections, boots, transactions, statuses) are made facts again and go through the same fold as the facts
of a running rollout, so that an event before is what an event is during it. What no store keeps (attempts to start without a
transaction, meter values, frames) is left out: of these signals a past knows nothing, and everybody weighs the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

import msgspec

from chargenet import events as e
from chargenet.model.ids import parse_label
from chargenet.model.station import ChargePointEvent
from chargenet.model.transaction import Transaction
from chargenet.model.words import Registration
from chargenet.ports import StateChange
from firmware_orchestrator.evidence.baseline import History
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.exposure import Exposure, Member

PAST = timedelta(days=28)
UNKNOWABLE = (Signal.METER_GAPS, Signal.PROTOCOL_ERRORS)
_FAULTY = (Signal.FAULTS, Signal.ANY)


class Rows(msgspec.Struct, kw_only=True):
    """What the stores have. `since`: complete from then on; `asked`: charge points whose statuses were read."""

    since: datetime
    events: Sequence[ChargePointEvent] = ()
    """Connected, disconnected and boot."""
    transactions: Sequence[Transaction] = ()
    states: Sequence[StateChange] = ()
    """Statuses and errors."""
    asked: frozenset[str] = frozenset()


def histories(members: Sequence[Member], rows: Rows, at: datetime, policy: GatePolicy) -> dict[str, History]:
    """Charge point → its past, as far as it is known. About a second for 50,000 rows: call it in a worker thread. Pure."""
    known = {each.charge_point_id for each in members}
    facts = sorted(
        (fact for fact in _facts(rows) if fact.charge_point_id in known and rows.since <= fact.received_at < at),
        key=lambda fact: (fact.received_at, fact.sequence),
    )
    facts = [msgspec.structs.replace(fact, sequence=number) for number, fact in enumerate(facts, 1)]
    rules = GatePolicy(observe_only=UNKNOWABLE, ignored_codes=policy.ignored_codes, rules=policy.rules)
    exposure = Exposure(rules, _as_they_were(members, facts), rows.since, keep_history=True)
    exposure.apply(facts)
    exposure.advance(at)
    exposure.observed()
    return {who: _knowable(past, who in rows.asked) for who, past in exposure.histories().items()}


def _as_they_were(members: Sequence[Member], facts: Sequence[e.Fact]) -> Iterator[Member]:
    """Before its first connection a charge point was away; before its first disconnection it was there."""
    first: dict[str, bool] = {}
    for fact in facts:
        if any(isinstance(event, e.ConnectionOpened | e.ConnectionClosed) for event in fact.events):
            first.setdefault(fact.charge_point_id, isinstance(fact.events[0], e.ConnectionClosed))
    for each in members:
        connected = first.get(each.charge_point_id, each.connected)
        yield msgspec.structs.replace(each, connected=connected, firmware_version=None)


def _knowable(past: History, asked: bool) -> History:
    """Without the signals that the rows say nothing of."""
    unknown = UNKNOWABLE if asked else (*UNKNOWABLE, *_FAULTY)
    return msgspec.structs.replace(
        past,
        events={signal: count for signal, count in past.events.items() if signal not in unknown},
        days={signal: days for signal, days in past.days.items() if signal not in unknown},
    )


def _facts(rows: Rows) -> Iterable[e.Fact]:
    return chain(
        (_fact(each.charge_point_id, each.received_at, each.sequence, _event(each)) for each in rows.events),
        chain.from_iterable(map(_transaction, rows.transactions)),
        _statuses(rows.states),
    )


def _fact(charge_point_id: str, at: datetime, sequence: int, event: e.Event) -> e.Fact:
    return e.Fact(sequence, at, charge_point_id, 0, "", "", (event,))


def _event(row: ChargePointEvent) -> e.Event:
    if row.kind == "connected":
        return e.ConnectionOpened(remote="")
    if row.kind == "disconnected":
        return e.ConnectionClosed(code=0, reason="", lost=row.value == "lost", superseded=row.value == "superseded")
    # Without its version: an update in the past is no reason to leave a charge point out of it.
    return e.ChargePointBooted(
        vendor=None,
        model=None,
        serial_number=None,
        firmware_version=None,
        registration=Registration.ACCEPTED,
        reason=row.value,
    )


def _transaction(row: Transaction) -> Iterator[e.Fact]:
    if row.offline or row.start_received_at is None:
        return
    started = e.TransactionStarted(
        transaction_id=row.transaction_id, connector=None, started_at=row.started_at, energy_register_wh=row.start_register_wh
    )
    yield _fact(row.charge_point_id, row.start_received_at, 0, started)
    if row.stop_received_at is not None:
        register = row.stop_register_wh if row.stop_register_wh is not None else row.last_register_wh
        stopped = e.TransactionStopped(
            transaction_id=row.transaction_id, connector=None, stopped_at=row.stopped_at, energy_register_wh=register
        )
        yield _fact(row.charge_point_id, row.stop_received_at, 1, stopped)


def _statuses(rows: Sequence[StateChange]) -> Iterator[e.Fact]:
    """A status and the error that was said with it are two rows of one record."""
    codes = {(row.charge_point, row.connector, row.sequence): row.value for row in rows if row.kind == "error"}
    for row in rows:
        if row.kind == "status":
            yield _fact(row.charge_point, row.received_at, row.sequence, e.StatusReported(
                connector=parse_label(row.connector) if row.connector else None, status=row.value, raw_status=row.value,
                error_code=codes.get((row.charge_point, row.connector, row.sequence)),
            ))  # fmt: skip
