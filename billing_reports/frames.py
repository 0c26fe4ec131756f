"""The frames of one charge point, read back from the journal. Decided here: how far back, and that it is bounded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from chargenet.events import Fact
from chargenet.model.record import Record, microseconds
from chargenet.ports import Journal

MOST_RECORDS = 200_000
"""Of one transaction: a frame every second for two days."""
_PAGE = 2_000

Interpret = Callable[[Record], Fact]


class Told(msgspec.Struct, frozen=True):
    """Facts of a charge point in order. `complete`: they reach back to the first record asked for."""

    facts: tuple[Fact, ...]
    complete: bool


class Frames:
    """Reads the journal. Everything here blocks: call it in a worker thread."""

    def __init__(self, journal: Journal, interpret: Interpret) -> None:
        self._journal, self._interpret = journal, interpret

    def between(self, charge_point_id: str, first: int, upto: int, *, since: datetime | None = None) -> Told:
        """Facts of records `first` to `upto`; with `since` also earlier ones that were received after it."""
        since_us = 0 if since is None else microseconds(since)
        found: list[Record] = []
        before, done = upto + 1, False
        while not done and len(found) < MOST_RECORDS:
            page = self._journal.read_charge_point(charge_point_id, since_us=since_us, before=before, limit=_PAGE)
            kept = [each for each in page if each.sequence >= first or since is not None]
            found += kept
            done = len(page) < _PAGE or len(kept) < len(page)
            before = page[-1].sequence if page else 0
        complete = self._journal.first_sequence <= first and (done or len(found) < MOST_RECORDS)
        return Told(tuple(self._interpret(record) for record in reversed(found)), complete)

    def begins(self) -> tuple[int, datetime | None]:
        """The oldest record that the journal still has, and when it came; None where it has none."""
        first = self._journal.first_sequence
        found = self._journal.read(first - 1, 1)
        return first, found[0].received_at if found else None

    def one(self, sequence: int) -> Record | None:
        """One record; None where the journal no longer has it."""
        if sequence < self._journal.first_sequence:
            return None
        found = self._journal.read(sequence - 1, 1)
        return found[0] if found and found[0].sequence == sequence else None
