"""The journal by time: facts between two instants. Decided here: where to begin reading, and that a lost past is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime

from chargenet.errors import Conflict
from chargenet.events import Fact
from chargenet.model.record import Record, microseconds
from chargenet.ports import Journal

SLICE = 2_000
MOST_RECORDS = 5_000_000


class FactReader:
    """Over a journal; `interpret` gives a record's facts again."""

    def __init__(self, journal: Journal, interpret: Callable[[Record], Fact]) -> None:
        self._journal, self._interpret = journal, interpret

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[Fact]]:
        """Facts received in [start, end), in journal order, in slices.

        Raises Conflict where the journal does not reach back to `start` any more, or the period has too many records.
        """
        journal = self._journal
        position = await asyncio.to_thread(self._before, microseconds(start))
        if position == journal.first_sequence - 1 and journal.first_sequence > 1:
            oldest = await asyncio.to_thread(journal.read, position, 1)
            since = f"{oldest[0].received_at:%Y-%m-%d %H:%M}Z" if oldest else "now"
            raise Conflict(f"the journal reaches back to {since}: ask for a period that begins after it")
        last, read = microseconds(end), 0
        while True:
            facts = await asyncio.to_thread(self._slice, position, last)
            read += len(facts)
            if read > MOST_RECORDS:
                raise Conflict(f"the period has more than {MOST_RECORDS} records: ask for a shorter one")
            if facts:
                yield facts
            if len(facts) < SLICE:
                return
            position = facts[-1].sequence

    def _slice(self, after: int, last_us: int) -> list[Fact]:
        records = self._journal.read(after, SLICE)
        return [self._interpret(record) for record in records if record.received_at_us < last_us]

    def _before(self, start_us: int) -> int:
        """The last sequence received before `start_us`, by halving: receipts only grow."""
        low, high = self._journal.first_sequence - 1, self._journal.durable_sequence
        while low < high:
            middle = (low + high + 1) // 2
            found = self._journal.read(middle - 1, 1)
            if found and found[0].received_at_us < start_us:
                low = max(middle, found[0].sequence)
            else:
                high = middle - 1
        return low
