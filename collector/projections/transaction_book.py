"""What the fold knows of one charge point's transactions, and what it changes. Decided here: how far back content is compared.

A book answers as if it held everything: all open transactions and the newest (Windows) are always in it, any other is fetched by
its id before the fold needs it. So the outcome depends on the facts alone, not on batches, restarts or what happened to be cached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from chargenet.model.transaction import (
    QuarantinedReport,
    Transaction,
    TransactionAlias,
    TransactionChange,
    TransactionState,
)
from chargenet.stores import TransactionChanges, TransactionsLoaded


class Windows(msgspec.Struct, frozen=True):
    """How far back a charge point's reports are compared. Part of the meaning: another window needs a rebuild."""

    recent: int = 32
    """Newest transactions, by their first record, that a start or stop may be compared with."""
    stops: int = 16
    """Newest quarantined stops, resolved ones counted, among which a late start may find its own."""


MAX_OPEN = 64
"""Open transactions of one charge point; the oldest is taken as ended above it (they name no connector that could tell)."""


class Book:
    """Transactions of one charge point. Rows are immutable; `put` replaces them."""

    __slots__ = ("_windows", "aliases", "open", "recent", "rows", "stops")

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self.rows: dict[str, Transaction] = {}
        self.open: dict[str, None] = {}
        """Ids of open transactions."""
        self.recent: list[str] = []
        """Ids of the newest transactions, oldest first."""
        self.aliases: dict[str, str] = {}
        self.stops: list[QuarantinedReport] = []

    def find(self, transaction_id: str) -> Transaction | None:
        """By id or alias."""
        return self.rows.get(transaction_id) or self.rows.get(self.aliases.get(transaction_id, ""))

    def put(self, row: Transaction) -> None:
        """Add or replace a row."""
        transaction_id = row.transaction_id
        if transaction_id not in self.rows:
            self.recent.append(transaction_id)
            del self.recent[: -self._windows.recent]
        self.rows[transaction_id] = row
        if row.state == TransactionState.OPEN:
            self.open.setdefault(transaction_id)
        else:
            self.open.pop(transaction_id, None)

    def fetched(self, row: Transaction) -> None:
        """Take in an older row that was asked for by id; it is not among the recent ones."""
        self.rows.setdefault(row.transaction_id, row)

    def opened(self) -> list[Transaction]:
        """Open transactions, oldest first."""
        return sorted((self.rows[key] for key in self.open), key=lambda row: (row.first_sequence, row.transaction_id))

    def newest(self) -> Iterator[Transaction]:
        """The recent transactions, newest first."""
        return (self.rows[transaction_id] for transaction_id in reversed(self.recent))

    def quarantined(self, stop: QuarantinedReport) -> None:
        """Add a stop, or replace it by its resolved form."""
        self.stops = [kept for kept in self.stops if (kept.sequence, kept.ordinal) != (stop.sequence, stop.ordinal)]
        self.stops.append(stop)
        self.stops.sort(key=lambda row: (row.sequence, row.ordinal))
        del self.stops[: -self._windows.stops]

    def trim(self) -> None:
        """Forget what `load` would not give again."""
        keep = {*self.open, *self.recent}
        if len(self.rows) > len(keep):
            self.rows = {transaction_id: row for transaction_id, row in self.rows.items() if transaction_id in keep}
            self.aliases = {alias: transaction_id for alias, transaction_id in self.aliases.items() if transaction_id in keep}


def open_books(charge_point_ids: Iterable[str], loaded: TransactionsLoaded, windows: Windows) -> dict[str, Book]:
    """Books as the store has them."""
    books = {charge_point_id: Book(windows) for charge_point_id in charge_point_ids}
    for row in sorted(loaded.transactions, key=lambda row: (row.first_sequence, row.transaction_id)):
        books[row.charge_point_id].put(row)
    for alias in loaded.aliases:
        books[alias.charge_point_id].aliases[alias.alias_id] = alias.transaction_id
    for stop in loaded.stops:
        books[stop.charge_point_id].stops.append(stop)
    return books


class Changed:
    """What one batch changed, as rows to store."""

    def __init__(self) -> None:
        self.transactions: dict[tuple[str, str], Transaction] = {}
        self.changes: list[TransactionChange] = []
        self.aliases: list[TransactionAlias] = []
        self.quarantine: dict[tuple[int, int], QuarantinedReport] = {}
        self.highest_id = 0

    def rows(self) -> TransactionChanges:
        """For the store."""
        return TransactionChanges(
            transactions=list(self.transactions.values()),
            changes=self.changes,
            aliases=self.aliases,
            quarantine=list(self.quarantine.values()),
            highest_id=self.highest_id,
        )


def flagged(row: Transaction, *flags: str) -> Transaction:
    """`row` with flags added (sorted, each once)."""
    if all(flag in row.flags for flag in flags):
        return row
    return msgspec.structs.replace(row, flags=tuple(sorted({*row.flags, *(str(flag) for flag in flags)})))


def unflagged(row: Transaction, flag: str) -> Transaction:
    """`row` without a flag."""
    return row if flag not in row.flags else msgspec.structs.replace(row, flags=tuple(f for f in row.flags if f != flag))
