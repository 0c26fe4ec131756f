"""Facts → transactions of one charge point. Decided here: what a report means for a transaction, whatever order it comes in.

Pure: depends on the facts in their order and nothing else, so that live projection and a rebuild end in the same rows. A report
is never refused: what fits nowhere goes into quarantine with its reason, what is odd is flagged, what repeats is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.text import storable_text
from chargenet.model.transaction import (
    QuarantinedReport,
    Transaction,
    TransactionAlias,
    TransactionChange,
    TransactionFlag,
    TransactionState,
)
from chargenet.model.words import ConnectorStatus, Protocol, TokenStatus
from collector.projections import seq_nos
from collector.projections.transaction_book import MAX_OPEN, Book, Changed, flagged, unflagged
from collector.projections.transaction_matching import clean, same_place, started_by, twin_of, value, waiting_stop
from collector.projections.transaction_readings import read
from collector.projections.transaction_times import effective, metered, register_or_none, timed

Reported = e.TransactionStarted | e.TransactionUpdated | e.TransactionStopped
HIGHEST_ID = 2**31 - 1
RELEVANT = (
    e.TransactionStarted,
    e.TransactionUpdated,
    e.TransactionStopped,
    e.MeasurementsTaken,
    e.StatusReported,
    e.ChargePointBooted,
)
"""Events that can change a transaction."""

_PERIODIC = frozenset({"MeterValuePeriodic", "MeterValueClock"})
"""Triggers of updates that bring readings and nothing else: telemetry keeps those, thousands of them a transaction."""


class Fold:
    """Applies facts of one charge point to its book, noting what changed."""

    def __init__(self, book: Book, changed: Changed) -> None:
        self._book, self._changed = book, changed
        self._fact: Fact
        self._ordinal = 0
        self._stopped_here: str | None = None

    def apply(self, fact: Fact) -> None:
        """One fact. Readings go last: those of a stop's own frame belong to the transaction, whatever their place in it."""
        self._fact, self._ordinal, self._stopped_here = fact, 0, None
        for last in (False, True):
            for index, event in enumerate(fact.events):
                handler = _HANDLERS.get(type(event))
                if handler is not None and (type(event) is e.MeasurementsTaken) is last:
                    handler(self, index, event)

    # --- starts --------------------------------------------------------------------------------------------------------

    def _started(self, _: int, event: e.TransactionStarted) -> None:
        transaction_id = storable_text(event.transaction_id)
        self._note_id(transaction_id)
        row = self._book.find(transaction_id)
        if row is None:
            twin = None if self._fact.protocol != Protocol.OCPP16 else twin_of(event, self._book)  # 2.x ids are not ours
            if twin is not None:
                self._alias(transaction_id, twin)
                return
            row = self._claim(self._with_start(self._new(transaction_id, event.connector), event))
            self._put(row, self._change("started", event.charging_state or event.trigger, event.seq_no, event.started_at))
        elif row.start_sequence is None:
            row = self._with_start(row, event)
            if row.stop_sequence is not None:
                row = flagged(row, TransactionFlag.STOP_BEFORE_START)
            self._put(row, self._change("started", event.charging_state or event.trigger, event.seq_no, event.started_at))
        else:
            self._put(self._repeated(row, TransactionFlag.START_REPEATED), self._change("repeated", "start", event.seq_no))
            return
        self._end_others(row)

    def _with_start(self, row: Transaction, event: e.TransactionStarted) -> Transaction:
        fact = self._fact
        register_wh = register_or_none(event.energy_register_wh)
        row = msgspec.structs.replace(
            self._with_common(row, event),
            started_at=event.started_at,
            start_received_at=fact.received_at,
            start_sequence=fact.sequence,
            start_register_wh=register_wh if register_wh is not None else row.start_register_wh,
            charging_state=row.charging_state or clean(event.charging_state),
            charging_profile_id=event.charging_profile_id,
        )
        return metered(timed(unflagged(row, TransactionFlag.START_MISSING)))

    def _alias(self, alias_id: str, row: Transaction) -> None:
        self._book.aliases[alias_id] = row.transaction_id
        alias = TransactionAlias(row.charge_point_id, alias_id, row.transaction_id, self._fact.sequence)
        self._changed.aliases.append(alias)
        self._put(self._repeated(row, TransactionFlag.START_REPEATED), self._change("repeated", "start", detail=f"as {alias_id}"))

    def _claim(self, row: Transaction) -> Transaction:
        """A 1.6 start that came after its stop, which named no usable id and waits in quarantine."""
        stop = None if self._fact.protocol != Protocol.OCPP16 else waiting_stop(row, self._book)
        if stop is None:
            return row
        stop = msgspec.structs.replace(stop, resolved_by=row.transaction_id)
        self._book.quarantined(stop)
        self._changed.quarantine[stop.sequence, stop.ordinal] = stop
        row = msgspec.structs.replace(
            row,
            state=TransactionState.STOPPED,
            stopped_at=stop.reported_at,
            stop_received_at=stop.received_at,
            stop_register_wh=stop.register_wh,
            stop_reason=stop.stop_reason,
            stop_id_token=stop.id_token,
            stop_sequence=stop.sequence,
        )
        return metered(timed(flagged(row, TransactionFlag.STOP_BEFORE_START, TransactionFlag.STOP_MATCHED)))

    def _end_others(self, new: Transaction) -> None:
        """A connector serves one vehicle: an earlier transaction there has ended, though nobody said so."""
        for row in self._book.opened():
            later = row.began_at is None or new.began_at is None or row.began_at <= new.began_at
            if row.transaction_id != new.transaction_id and later and same_place(row, new):
                self._estimate(row, "started", new.began_at or self._fact.received_at)
        opened = self._book.opened()
        for row in opened[: max(0, len(opened) - MAX_OPEN)]:
            self._estimate(row, "superseded", self._fact.received_at)

    def _estimate(self, row: Transaction, evidence: str, at: datetime) -> None:
        row = msgspec.structs.replace(
            row,
            state=TransactionState.ESTIMATED,
            ended_at=max(at, row.began_at) if row.began_at is not None else at,
            evidence=evidence,
            evidence_sequence=self._fact.sequence,
        )
        self._put(row, self._change("estimated", evidence))

    # --- updates -------------------------------------------------------------------------------------------------------

    def _updated(self, _: int, event: e.TransactionUpdated) -> None:
        transaction_id = storable_text(event.transaction_id)
        row = self._book.find(transaction_id) or self._unstarted(transaction_id, event.connector, event.updated_at)
        highest = seq_nos.highest(row.seq_nos)
        if (
            event.seq_no is not None
            and highest is not None
            and event.seq_no < highest
            and seq_nos.contains(row.seq_nos, event.seq_no)
        ):
            self._put(self._repeated(row), self._change("repeated", "update", event.seq_no))
            return
        current = event.seq_no is None or highest is None or event.seq_no >= highest
        state = clean(event.charging_state) if current else None
        changed = state is not None and state != row.charging_state
        register_wh = register_or_none(event.energy_register_wh)
        row = msgspec.structs.replace(self._with_common(row, event), charging_state=state or row.charging_state)
        if current and register_wh is not None:
            at = effective(event.updated_at, self._fact.received_at)
            row = metered(msgspec.structs.replace(row, last_register_wh=register_wh, last_register_at=at))
        kind = "state" if changed else "updated"
        quiet = not changed and event.trigger in _PERIODIC
        self._put(row, None if quiet else self._change(kind, state or event.trigger, event.seq_no, event.updated_at))

    def _unstarted(self, transaction_id: str, connector: ConnectorRef | None, at: datetime | None) -> Transaction:
        """A transaction first known by something else than its start."""
        row = self._new(transaction_id, connector)
        began_at = effective(at, self._fact.received_at)
        clock = "device" if began_at is at else "ours"
        return flagged(msgspec.structs.replace(row, began_at=began_at, clock=clock), TransactionFlag.START_MISSING)

    # --- stops ---------------------------------------------------------------------------------------------------------

    def _stopped(self, index: int, event: e.TransactionStopped) -> None:
        named = None if event.transaction_id is None else storable_text(event.transaction_id)
        row = None if named is None else self._book.find(named)
        if row is None and named is not None and self._fact.protocol != Protocol.OCPP16:
            row = self._unstarted(named, event.connector, event.stopped_at)
        if row is None:
            row = started_by(event, self._book)
            if row is None:
                self._quarantine(index, event)
                return
            row = flagged(row, TransactionFlag.STOP_MATCHED)
        elif event.raw_transaction_id not in (None, event.transaction_id):
            row = flagged(row, TransactionFlag.STOP_MATCHED)  # matched when it was answered
        self._stopped_here = row.transaction_id
        if row.stop_sequence is not None:
            row = self._repeated(self._with_seq_no(row, event.seq_no), TransactionFlag.STOP_REPEATED)
            self._put(row, self._change("repeated", "stop", event.seq_no, event.stopped_at, event.reason))
            return
        self._put(self._with_stop(row, event), self._change("stopped", event.reason, event.seq_no, event.stopped_at))

    def _with_stop(self, row: Transaction, event: e.TransactionStopped) -> Transaction:
        row = msgspec.structs.replace(
            self._with_common(row, event, own_token=False),
            state=TransactionState.STOPPED,
            stopped_at=event.stopped_at,
            stop_received_at=self._fact.received_at,
            stop_register_wh=register_or_none(event.energy_register_wh),
            stop_reason=clean(event.reason),
            stop_id_token=value(event.id_token),
            stop_sequence=self._fact.sequence,
            charging_state=clean(event.charging_state) or row.charging_state,
            evidence=None,
            evidence_sequence=None,
        )
        return metered(timed(row))

    def _quarantine(self, index: int, event: e.TransactionStopped) -> None:
        raw = event.raw_transaction_id if event.raw_transaction_id is not None else event.transaction_id
        count = len(self._book.open)
        named = "names no transaction" if event.transaction_id is None else "names a transaction that is not known here"
        stop = QuarantinedReport(
            charge_point_id=self._fact.charge_point_id,
            sequence=self._fact.sequence,
            ordinal=index,
            kind="stop",
            reason=f"{named}, and by token, time and register it fits none or more than one of {count} open transactions",
            raw_transaction_id=None if raw is None else storable_text(raw),
            connector=event.connector.label if event.connector else None,
            id_token=value(event.id_token),
            reported_at=event.stopped_at,
            received_at=self._fact.received_at,
            register_wh=register_or_none(event.energy_register_wh),
            stop_reason=clean(event.reason),
        )
        self._book.quarantined(stop)
        self._changed.quarantine[stop.sequence, stop.ordinal] = stop

    # --- readings and other evidence -----------------------------------------------------------------------------------

    def _measured(self, _: int, event: e.MeasurementsTaken) -> None:
        transaction_id = self._stopped_here if event.transaction_id is None else storable_text(event.transaction_id)
        row = None if transaction_id is None else self._book.find(transaction_id)
        if row is None:
            return  # of no transaction, or of one that this platform never gave an id: telemetry keeps it
        after, withdrawn = read(row, event, self._fact, alone=self._is_alone(row))
        self._put(metered(after), self._change("withdrawn", row.evidence, at=event.measured_at) if withdrawn else None)

    def _is_alone(self, row: Transaction) -> bool:
        """Nothing newer is open where it was: it may still be running."""
        return not any(other.transaction_id != row.transaction_id and same_place(other, row) for other in self._book.opened())

    def _status(self, _: int, event: e.StatusReported) -> None:
        if event.connector is None or not self._book.open:
            return
        label = event.connector.label
        at = effective(event.reported_at, self._fact.received_at)
        for row in self._book.opened():
            if row.connector != label:
                continue
            if event.status == ConnectorStatus.AVAILABLE:
                if row.began_at is not None and at > row.began_at:
                    self._estimate(row, "available", at)
            elif row.protocol == Protocol.OCPP16 and row.charging_state != str(event.status):
                row = msgspec.structs.replace(row, charging_state=str(event.status))
                self._put(row, self._change("state", event.status, at=event.reported_at, detail=event.error_code))

    def _booted(self, _: int, event: e.ChargePointBooted) -> None:
        for row in self._book.opened():
            self._put(flagged(row, TransactionFlag.REBOOTED), self._change("booted", event.reason))

    # --- rows ----------------------------------------------------------------------------------------------------------

    def _new(self, transaction_id: str, connector: ConnectorRef | None) -> Transaction:
        return Transaction(
            charge_point_id=self._fact.charge_point_id,
            transaction_id=transaction_id,
            protocol=self._fact.protocol,
            connector=connector.label if connector else None,
            first_sequence=self._fact.sequence,
            last_sequence=self._fact.sequence,
        )

    def _with_common(self, row: Transaction, event: Reported, *, own_token: bool = True) -> Transaction:
        """What every report of a transaction may carry. `own_token` False: the token is whoever stopped it."""
        first = own_token and event.id_token is not None and row.id_token is None
        token = event.id_token if first else None
        row = msgspec.structs.replace(
            self._with_seq_no(row, event.seq_no),
            connector=row.connector or (event.connector.label if event.connector else None),
            id_token=value(token) if token else row.id_token,
            id_token_kind=clean(token.kind) if token else row.id_token_kind,
            token_status=(event.token_status if own_token else None) or row.token_status,
            offline=row.offline or event.offline,
        )
        if not isinstance(event, e.TransactionStopped):
            row = msgspec.structs.replace(
                row,
                remote_start_id=row.remote_start_id if event.remote_start_id is None else event.remote_start_id,
                reservation_id=row.reservation_id if event.reservation_id is None else event.reservation_id,
            )
        if event.energy_register_wh is not None and register_or_none(event.energy_register_wh) is None:
            row = flagged(row, TransactionFlag.REGISTER_ABSURD)
        if row.token_status not in (None, TokenStatus.ACCEPTED):
            row = flagged(row, TransactionFlag.TOKEN_REJECTED)
        return row

    def _with_seq_no(self, row: Transaction, seq_no: int | None) -> Transaction:
        if seq_no is None or not 0 <= seq_no <= HIGHEST_ID:
            return row
        row = msgspec.structs.replace(row, seq_nos=seq_nos.add(row.seq_nos, seq_no))
        gap = TransactionFlag.SEQUENCE_GAP
        return flagged(row, gap) if seq_nos.has_gap(row.seq_nos) else unflagged(row, gap)

    def _repeated(self, row: Transaction, *flags: str) -> Transaction:
        return flagged(msgspec.structs.replace(row, repeats=row.repeats + 1), *flags)

    def _put(self, row: Transaction, change: TransactionChange | None) -> None:
        row = msgspec.structs.replace(row, last_sequence=self._fact.sequence)
        self._book.put(row)
        self._changed.transactions[row.charge_point_id, row.transaction_id] = row
        if change is not None:
            self._changed.changes.append(msgspec.structs.replace(change, transaction_id=row.transaction_id))

    def _change(
        self, kind: str, value: str | None, seq_no: int | None = None, at: datetime | None = None, detail: str | None = None
    ) -> TransactionChange:
        self._ordinal += 1
        return TransactionChange(
            charge_point_id=self._fact.charge_point_id,
            transaction_id="",  # `_put` knows it
            sequence=self._fact.sequence,
            ordinal=self._ordinal,
            kind=kind,
            value=value,
            detail=detail,
            seq_no=seq_no,
            changed_at=at,
            received_at=self._fact.received_at,
        )

    def _note_id(self, transaction_id: str) -> None:
        """Ids that we gave are never given again, whatever becomes of this transaction."""
        if self._fact.protocol == Protocol.OCPP16 and transaction_id.isdecimal() and int(transaction_id) <= HIGHEST_ID:
            self._changed.highest_id = max(self._changed.highest_id, int(transaction_id))


_HANDLERS: dict[type[e.Event], Callable[[Fold, int, Any], None]] = {
    e.TransactionStarted: Fold._started,
    e.TransactionUpdated: Fold._updated,
    e.TransactionStopped: Fold._stopped,
    e.MeasurementsTaken: Fold._measured,
    e.StatusReported: Fold._status,
    e.ChargePointBooted: Fold._booted,
}
