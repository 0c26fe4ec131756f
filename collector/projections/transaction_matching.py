"""Which transaction is meant? Decided here: twins of a start, stops that wait for their start, stops that name no usable id.

Pure functions over a book; how a stop fits a start is in collector.matching, shared with the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable

from chargenet.events import TransactionStarted, TransactionStopped
from chargenet.model.ids import IdToken, parse_label
from chargenet.model.text import storable_text
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionState
from chargenet.model.words import Protocol
from collector.matching import fits, only_fit, usable
from collector.projections.transaction_book import Book
from collector.projections.transaction_times import register_or_none


def twin_of(event: TransactionStarted, book: Book) -> Transaction | None:
    """The transaction that this 1.6 start repeats under another id of ours: its repetition was not noticed when it was answered."""
    label = event.connector.label if event.connector else None
    content = (label, key(value(event.id_token)), event.started_at, register_or_none(event.energy_register_wh))
    for row in book.newest():
        same = (row.connector, row.token_key, row.started_at, row.start_register_wh) == content
        if same and row.start_sequence is not None and (usable(row.started_at) or row.state == TransactionState.OPEN):
            return row
    return None


def waiting_stop(row: Transaction, book: Book) -> QuarantinedReport | None:
    """The one quarantined stop that can be of this start. Both need a usable instant: nothing else tells their order."""
    if usable(row.started_at) is None:
        return None
    found = [
        stop
        for stop in book.stops
        if stop.resolved_by is None
        and usable(stop.reported_at) is not None
        and fits(row, key(stop.id_token), stop.reported_at, stop.register_wh)
    ]
    return found[0] if len(found) == 1 else None


def started_by(event: TransactionStopped, book: Book) -> Transaction | None:
    """The one open transaction that a stop fits, else the one whose end was only estimated."""
    token_key, register_wh = key(value(event.id_token)), register_or_none(event.energy_register_wh)
    label = event.connector.label if event.connector else None

    def fitting(rows: Iterable[Transaction]) -> Transaction | None:
        here = [row for row in rows if label is None or row.connector is None or row.connector == label]
        return only_fit(here, token_key, event.stopped_at, register_wh)

    estimated = (row for row in book.newest() if row.state == TransactionState.ESTIMATED)
    return fitting(book.opened()) or fitting(estimated)


def same_place(row: Transaction, other: Transaction) -> bool:
    """Same connector; in OCPP 2.x same EVSE, because an event may leave its connector out."""
    if row.connector is None or other.connector is None:
        return False
    if row.protocol == Protocol.OCPP16:
        return row.connector == other.connector
    return parse_label(row.connector).evse_id == parse_label(other.connector).evse_id


def clean(text: str | None) -> str | None:
    """Text as it is kept."""
    return None if text is None else storable_text(text)


def value(token: IdToken | None) -> str | None:
    """A token's value as it is kept."""
    return None if token is None else storable_text(token.value)


def key(token: str | None) -> str | None:
    """What the token table is keyed by."""
    return None if token is None else IdToken(token).key
