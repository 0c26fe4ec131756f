"""The ledger: which starts, stops and events were answered already, in memory. Decided here: transaction ids, and what is a repeat.

Charge points repeat what was not acknowledged, with new message ids, so content decides. Pure: no clock, no I/O; one per
collector, used on its event loop only. `start`, `stop` and `event` decide and change nothing; the connection then appends the
record in the same turn of the loop and calls `bind(sequence)`, or `void()` when the append failed. From `bind` on a repeat gets
the first answer, also while the first record is not yet durable. `forget_after` takes back what turned out not to be durable.

Bounded per charge point: the RECENT newest 1.6 starts (stopped ones go first), and of OCPP 2.x transactions the last seqNos.
What slips past these bounds is recognised again by the transactions projection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from chargenet.errors import Conflict
from chargenet.events import Fact, TransactionStarted, TransactionStopped, TransactionUpdated
from chargenet.model.ids import ConnectorRef, IdToken, parse_label
from chargenet.model.transaction import Transaction, TransactionState
from chargenet.model.words import Protocol
from collector.context import Matched
from collector.handlers.instants import instant
from collector.matching import only_fit, usable
from collector.places import Places

RECENT = 64
UNMATCHED = 16
FINISHED = 16
"""Finished OCPP 2.x transactions remembered per charge point, with their last FINISHED_EVENTS events."""
FINISHED_EVENTS = 4
OPEN_2X = 64
EVENTS = 32
"""Events remembered of a running OCPP 2.x transaction: a repeat comes soon after the first."""
HIGHEST_ID = 2**31 - 1

_NEW = Matched()
_CODE = {"Started": 0, "Updated": 1, "Ended": 2}
_ENDED = 2
_Content = tuple[int | None, str | None, datetime | None, int | None]


class _Start(msgspec.Struct):
    """A 1.6 transaction. `stop` is the content of its first stop."""

    transaction_id: int
    connector: ConnectorRef | None
    token_key: str | None
    started_at: datetime | None
    start_register_wh: int | None
    sequence: int = 0
    stop: _Content | None = None
    stop_sequence: int = 0
    stopped: bool = False

    def begins_as(self, other: _Start) -> bool:
        """Same content. Without a usable instant only an open start can be repeated: later ones would look alike."""
        return (
            self.connector == other.connector
            and self.token_key == other.token_key
            and self.started_at == other.started_at
            and self.start_register_wh == other.start_register_wh
            and (self.started_at is not None or not self.stopped)
        )


class _Book:
    """1.6 starts of one charge point, oldest first, and its stops that match none."""

    __slots__ = ("starts", "unmatched")

    def __init__(self) -> None:
        self.starts: list[_Start] = []
        self.unmatched: dict[_Content, int] = {}

    def find(self, transaction_id: int | None) -> _Start | None:
        return next((start for start in reversed(self.starts) if start.transaction_id == transaction_id), None)

    def add(self, start: _Start) -> None:
        self.starts.append(start)
        if len(self.starts) > RECENT:
            self.starts.remove(next((old for old in self.starts if old.stopped), self.starts[0]))

    def add_unmatched(self, content: _Content, sequence: int) -> None:
        self.unmatched[content] = sequence
        if len(self.unmatched) > UNMATCHED:
            del self.unmatched[next(iter(self.unmatched))]

    def forget_after(self, sequence: int) -> None:
        self.starts = [start for start in self.starts if start.sequence <= sequence]
        for start in self.starts:
            if start.stop_sequence > sequence:
                start.stop, start.stop_sequence, start.stopped = None, 0, False
        self.unmatched = {content: at for content, at in self.unmatched.items() if at <= sequence}


_Seen = dict[int, int]
"""seqNo × 4 + code of the event type → sequence."""


class _Events:
    """OCPP 2.x events of one charge point."""

    __slots__ = ("finished", "running")

    def __init__(self) -> None:
        self.running: dict[str, _Seen] = {}
        self.finished: dict[str, _Seen] = {}

    def add(self, transaction_id: str, key: int, sequence: int) -> None:
        seen = self.running.get(transaction_id)
        if seen is None and (seen := self.finished.get(transaction_id)) is None:
            seen = self.running[transaction_id] = {}
            if len(self.running) > OPEN_2X:
                self._finish(next(iter(self.running)))
        seen[key] = sequence
        if key & 3 == _ENDED:
            self._finish(transaction_id)
        elif len(seen) > EVENTS:
            del seen[next(iter(seen))]

    def _finish(self, transaction_id: str) -> None:
        seen = self.running.pop(transaction_id, None)
        if seen is not None:
            self.finished[transaction_id] = dict(list(seen.items())[-FINISHED_EVENTS:])
            if len(self.finished) > FINISHED:
                del self.finished[next(iter(self.finished))]

    def forget_after(self, sequence: int) -> None:
        for transactions in (self.running, self.finished):
            for transaction_id, seen in list(transactions.items()):
                transactions[transaction_id] = {key: at for key, at in seen.items() if at <= sequence}
                if not transactions[transaction_id]:
                    del transactions[transaction_id]


class Ledger:
    """What was answered. `floor`: the highest transaction id ever given; `raise_floor` lifts it further."""

    def __init__(self, floor: int = 0) -> None:
        self._last_id = max(0, floor)
        self._books: dict[str, _Book] = {}
        self._events: dict[str, _Events] = {}
        self.places = Places()
        self._pending: Callable[[int], None] | tuple[str, str, int] | None = None

    @property
    def last_transaction_id(self) -> int:
        """The highest id given."""
        return self._last_id

    def raise_floor(self, transaction_id: int) -> None:
        """Give only ids above this one."""
        if self._last_id < transaction_id <= HIGHEST_ID:
            self._last_id = transaction_id

    # --- decisions -----------------------------------------------------------------------------------------------------

    def start(
        self, charge_point_id: str, connector: ConnectorRef | None, token: IdToken | None, started_at: str, register_wh: int | None
    ) -> Matched:
        """The first id for a content seen before, else a new one."""
        self._pending = None
        book = self._books.get(charge_point_id)
        new = _Start(0, connector, token.key if token else None, _instant(started_at), register_wh)
        if book is not None:
            for start in reversed(book.starts):
                if start.begins_as(new):
                    return Matched(start.transaction_id, start.sequence)
        if self._last_id >= HIGHEST_ID:
            raise Conflict("all transaction ids that OCPP 1.6 knows are used up")
        self._last_id = new.transaction_id = self._last_id + 1
        self._pending = lambda sequence: self._started(charge_point_id, new, sequence)
        return Matched(new.transaction_id)

    def stop(
        self, charge_point_id: str, transaction_id: int | None, token: IdToken | None, stopped_at: str, register_wh: int | None
    ) -> Matched:
        """The id it names, or the one open transaction it fits; no id when it must go into quarantine."""
        self._pending = None
        content = (transaction_id, token.key if token else None, _instant(stopped_at), register_wh)
        book = self._books.get(charge_point_id)
        if book is None:
            self._pending = lambda sequence: self._book(charge_point_id).add_unmatched(content, sequence)
            return _NEW
        start = book.find(transaction_id)
        repeated = _repeat(book, start, content)
        if repeated is not None:
            return repeated
        # An id that was given here before the book begins means what it says: the projection finds it in the store.
        if start is None and not 0 < (transaction_id or 0) <= self._last_id:
            start = only_fit((start for start in book.starts if not start.stopped), *content[1:])
        if start is None:
            self._pending = lambda sequence: book.add_unmatched(content, sequence)
            return _NEW
        found = start
        self._pending = lambda sequence: _stopped(found, content, sequence)
        return Matched(start.transaction_id, connector=start.connector)

    def event(self, charge_point_id: str, transaction_id: str, seq_no: int, event_type: str) -> Matched:
        """`duplicate_of` when this event was answered already. The event type is part of it: some number all events 0."""
        key = seq_no << 2 | _CODE.get(event_type, 3)
        events = self._events.get(charge_point_id)
        if events is not None:
            seen = events.running.get(transaction_id) or events.finished.get(transaction_id)
            if seen is not None and (sequence := seen.get(key)) is not None:
                self._pending = None
                return Matched(None, sequence)
        self._pending = (charge_point_id, transaction_id, key)
        return _NEW

    # --- what became of them -------------------------------------------------------------------------------------------

    def bind(self, sequence: int) -> None:
        """The last decision is in the journal under `sequence`. Nothing happens when there is none, or it was a repeat."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        if isinstance(pending, tuple):
            charge_point_id, transaction_id, key = pending
            self._event(charge_point_id, transaction_id, key, sequence)
        else:
            pending(sequence)

    def void(self) -> None:
        """The last decision could not be appended. Its transaction id is not given again."""
        self._pending = None

    def forget_after(self, sequence: int) -> None:
        """Records above `sequence` were lost before they were durable: none of them was answered."""
        self._pending = None
        for book in self._books.values():
            book.forget_after(sequence)
        for events in self._events.values():
            events.forget_after(sequence)

    # --- at start ------------------------------------------------------------------------------------------------------

    def restore(self, transactions: Iterable[Transaction]) -> None:
        """Begin with the recent transactions of the SQL store, oldest first. Then `apply` the journal's tail.

        Of OCPP 2.x only the places of open ones are taken from there.
        """
        for row in transactions:
            if row.protocol == Protocol.OCPP16 and row.transaction_id.isdecimal():
                self._restore(row, int(row.transaction_id))
            elif row.protocol != Protocol.OCPP16 and row.connector and row.state == TransactionState.OPEN:
                self._place(row.charge_point_id, row.transaction_id, parse_label(row.connector))

    def apply(self, fact: Fact) -> None:
        """Take in one fact of the journal's tail; one that is known already changes nothing."""
        for event in fact.events:
            if not isinstance(event, (TransactionStarted, TransactionUpdated, TransactionStopped)):
                continue
            if fact.protocol != Protocol.OCPP16:
                if event.transaction_id is not None and event.connector is not None:
                    self._place(fact.charge_point_id, event.transaction_id, event.connector)
                if isinstance(event, TransactionStopped) and event.transaction_id is not None:
                    self.places.ended(fact.charge_point_id, event.transaction_id)
                if event.seq_no is not None and event.transaction_id is not None:
                    key = event.seq_no << 2 | _CODE[_EVENT_TYPE[type(event)]]
                    self._event(fact.charge_point_id, event.transaction_id, key, fact.sequence)
            elif isinstance(event, TransactionStarted) and event.transaction_id.isdecimal():
                self._apply_start(fact, event)
            elif isinstance(event, TransactionStopped):
                self._apply_stop(fact, event)

    def _apply_start(self, fact: Fact, event: TransactionStarted) -> None:
        self.raise_floor(int(event.transaction_id))
        book = self._book(fact.charge_point_id)
        if book.find(int(event.transaction_id)) is None:
            token_key = event.id_token.key if event.id_token else None
            at = usable(event.started_at)
            book.add(_Start(int(event.transaction_id), event.connector, token_key, at, event.energy_register_wh, fact.sequence))

    def _apply_stop(self, fact: Fact, event: TransactionStopped) -> None:
        book = self._book(fact.charge_point_id)
        raw = event.raw_transaction_id if event.raw_transaction_id is not None else event.transaction_id
        named = int(raw) if raw is not None and raw.lstrip("-").isdecimal() else None
        content = (named, event.id_token.key if event.id_token else None, usable(event.stopped_at), event.energy_register_wh)
        start = book.find(int(event.transaction_id)) if event.transaction_id and event.transaction_id.isdecimal() else None
        if start is None:
            book.add_unmatched(content, fact.sequence)
        else:
            _stopped(start, content, fact.sequence)

    def _restore(self, row: Transaction, transaction_id: int) -> None:
        self.raise_floor(transaction_id)
        book = self._book(row.charge_point_id)
        if book.find(transaction_id) is not None:
            return
        start = _Start(
            transaction_id,
            parse_label(row.connector) if row.connector else None,
            row.id_token.casefold() if row.id_token is not None else None,
            usable(row.started_at),
            row.start_register_wh,
            row.start_sequence or row.first_sequence,
        )
        if row.state == TransactionState.STOPPED:
            start.stopped, start.stop_sequence = True, row.stop_sequence or row.last_sequence
            token_key = row.stop_id_token.casefold() if row.stop_id_token is not None else None
            start.stop = (transaction_id, token_key, usable(row.stopped_at), row.stop_register_wh)
        book.add(start)

    def _place(self, charge_point_id: str, transaction_id: str, place: ConnectorRef) -> None:
        self.places.place(charge_point_id, transaction_id, place.evse_id, place.connector_id)

    # --- books ---------------------------------------------------------------------------------------------------------

    def _book(self, charge_point_id: str) -> _Book:
        book = self._books.get(charge_point_id)
        if book is None:
            book = self._books[charge_point_id] = _Book()
        return book

    def _started(self, charge_point_id: str, start: _Start, sequence: int) -> None:
        start.sequence = sequence
        self._book(charge_point_id).add(start)

    def _event(self, charge_point_id: str, transaction_id: str, key: int, sequence: int) -> None:
        events = self._events.get(charge_point_id)
        if events is None:
            events = self._events[charge_point_id] = _Events()
        events.add(transaction_id, key, sequence)


_EVENT_TYPE = {TransactionStarted: "Started", TransactionUpdated: "Updated", TransactionStopped: "Ended"}


def _instant(text: str) -> datetime | None:
    return usable(instant(text, "", []))


def _stopped(start: _Start, content: _Content, sequence: int) -> None:
    """Only the first stop is remembered; a differing one is an event of its own, which the projection records as a repeat."""
    if not start.stopped:
        start.stop, start.stop_sequence, start.stopped = content, sequence, True


def _repeat(book: _Book, named: _Start | None, content: _Content) -> Matched | None:
    """The first answer, when this stop came before. Ids count as said: a stop with −1 repeats a stop with −1.

    Without a usable instant only a stop that names its transaction can be recognised.
    """
    if named is not None:
        same = named.stop is not None and named.stop[1:] == content[1:]
        return Matched(named.transaction_id, named.stop_sequence) if same else None
    if content[2] is None:
        return None
    for start in reversed(book.starts):
        if start.stop == content:
            return Matched(start.transaction_id, start.stop_sequence)
    sequence = book.unmatched.get(content)
    return None if sequence is None else Matched(None, sequence)
