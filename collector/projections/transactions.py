"""The transactions read model: fetches what the fold needs, folds, stores the outcome with its position. Nothing is judged here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.text import storable_text
from chargenet.stores import TransactionModel
from chargenet.turns import FEW, Turns
from collector.projections.transaction_book import Book, Changed, Windows, open_books
from collector.projections.transaction_fold import RELEVANT, Fold

WINDOWS = Windows()
MAX_BOOKS = 20_000
"""Charge points whose transactions are kept in memory between batches; others are loaded again."""


class TransactionsProjection:
    """A `chargenet.ports.Projection` over a `TransactionModel`. One apply at a time."""

    name = "transactions"

    def __init__(self, store: TransactionModel, *, windows: Windows = WINDOWS, max_books: int = MAX_BOOKS) -> None:
        self._store, self._windows, self._max_books = store, windows, max_books
        self._books: OrderedDict[str, Book] = OrderedDict()
        self._position: int | None = None

    async def position(self) -> int:
        """The last sequence that is already in the store."""
        self._forget()
        self._position = await self._store.position()
        return self._position

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        """Fold facts of sequence > position and store what changed, with the position, in one SQL transaction."""
        after = await self.position() if self._position is None else self._position
        if upto <= after:
            return
        new = [fact for fact in facts if fact.sequence > after and _matters(fact)]
        changed = Changed()
        saved = False
        try:
            await self._fetch(new)
            turns = Turns()
            for start in range(0, len(new), FEW):
                for fact in new[start : start + FEW]:
                    Fold(self._books[fact.charge_point_id], changed).apply(fact)
                await turns.rest()
            await self._store.save(changed.rows(), after, upto)
            saved = True
        finally:
            if not saved:  # the books are ahead of the store, or it is not known whether it has them
                self._forget()
        self._position = upto
        self._trim({fact.charge_point_id for fact in new})

    async def reset(self) -> None:
        """Drop everything derived, position 0."""
        self._forget()
        await self._store.reset()

    def _forget(self) -> None:
        self._books.clear()
        self._position = None

    async def _fetch(self, facts: Sequence[Fact]) -> None:
        """Books of all these facts, and older transactions that they name."""
        missing = {fact.charge_point_id for fact in facts} - self._books.keys()
        if missing:
            loaded = await self._store.load(sorted(missing), self._windows.recent, self._windows.stops)
            self._books |= open_books(missing, loaded, self._windows)
        named = {
            (fact.charge_point_id, transaction_id)
            for fact in facts
            for event in fact.events
            if (transaction_id := _named(event)) is not None and self._books[fact.charge_point_id].find(transaction_id) is None
        }
        if named:
            older = await self._store.find_many(sorted(named))
            for row in older.transactions:
                self._books[row.charge_point_id].fetched(row)
            for alias in older.aliases:
                self._books[alias.charge_point_id].aliases[alias.alias_id] = alias.transaction_id

    def _trim(self, charge_point_ids: set[str]) -> None:
        for charge_point_id in charge_point_ids:
            self._books[charge_point_id].trim()
            self._books.move_to_end(charge_point_id)
        while len(self._books) > self._max_books:
            self._books.popitem(last=False)


def _matters(fact: Fact) -> bool:
    """Can it change a transaction? Most facts are readings outside of any, and cost no more than this."""
    for event in fact.events:
        kind = type(event)
        if kind is e.MeasurementsTaken:
            if event.transaction_id is not None:  # type: ignore[attr-defined]  # narrowed by `kind`, which mypy does not follow
                return True
        elif kind in _RELEVANT:
            return True
    return False


_RELEVANT = frozenset(RELEVANT)


def _named(event: e.Event) -> str | None:
    if isinstance(event, (e.TransactionStarted, e.TransactionUpdated, e.TransactionStopped, e.MeasurementsTaken)):
        return None if event.transaction_id is None else storable_text(event.transaction_id)
    return None
