"""The feed: facts in journal order for whoever keeps a cursor. Decided here: how much stays in memory, and what a late reader gets.

A consumer near the head is served from memory; one that has fallen behind, or has just started, reads the journal and has its
records interpreted again, off the loop. So no consumer's slowness costs memory or holds anyone else up, and none misses a fact.
Those that are late together (all of them, after a restart) share what was interpreted for one of them: it costs six times what
they do with it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.ports import Journal

CAPACITY = 32_000
"""Facts kept, about 700 bytes each: four seconds of the busiest collector. Consumers gather for one, and wait for one another."""
TRIM = 1_000
"""Facts let go of at once, which takes a millisecond."""
CHUNK, CHUNKS = 1_000, 4
"""Records interpreted at once for a late consumer, and how many such lists are kept for the others."""


class JournalFeed:
    """Implements `chargenet.ports.Feed` over a journal and the facts of this process."""

    def __init__(self, journal: Journal, interpret: Callable[[Record], Fact], *, capacity: int = CAPACITY) -> None:
        self._journal = journal
        self._interpret = interpret
        self._capacity = capacity
        self._facts: list[Fact] = []
        self._head = journal.durable_sequence
        self._news = asyncio.Event()
        self._chunks: OrderedDict[int, list[Fact]] = OrderedDict()
        self._reading = asyncio.Lock()

    @property
    def head(self) -> int:
        """The last sequence that can be read now."""
        return self._head

    def publish(self, facts: Sequence[Fact], upto: int) -> None:
        """Facts that just became durable, in order and without a gap up to `upto`."""
        if self._facts and facts and facts[0].sequence != self._facts[-1].sequence + 1:
            self._facts.clear()  # records were lost between (a failed commit): positions must stay arithmetic
        self._facts.extend(facts)
        if len(self._facts) >= self._capacity + TRIM:
            del self._facts[: -self._capacity]
        self._head = upto
        self._news.set()

    async def wait(self, after: int) -> None:
        """Return once there is something after `after`."""
        while after >= self._head:
            self._news.clear()
            await self._news.wait()

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        """Facts of sequence > `after`, in order; waits until there is at least one."""
        while True:
            await self.wait(after)
            recent = self._recent(after, limit)
            if recent is not None:
                return recent
            facts = await self._older(after, limit)
            if facts:
                return facts
            after = self._skip_gap(after)

    def _recent(self, after: int, limit: int) -> list[Fact] | None:
        if not self._facts or self._facts[0].sequence > after + 1:
            return None
        start = after + 1 - self._facts[0].sequence
        return self._facts[start : start + limit] or None

    async def _older(self, after: int, limit: int) -> list[Fact]:
        """Facts of records that are in the journal only; none where nothing after `after` can be read."""
        number = after // CHUNK
        chunk = self._chunks.get(number) or await self._chunk(number)
        facts = [fact for fact in chunk if fact.sequence > after][:limit]
        return facts or await asyncio.to_thread(self._from_journal, after, min(limit, CHUNK))

    async def _chunk(self, number: int) -> list[Fact]:
        async with self._reading:
            known = self._chunks.get(number)
            if known is not None:
                return known
            chunk = await asyncio.to_thread(self._from_journal, number * CHUNK, CHUNK)
            if chunk and chunk[-1].sequence >= (number + 1) * CHUNK:  # it will never be longer
                self._chunks[number] = chunk
                if len(self._chunks) > CHUNKS:
                    self._chunks.popitem(last=False)
        return chunk

    def _from_journal(self, after: int, limit: int) -> list[Fact]:
        return [self._interpret(record) for record in self._journal.read(after, limit)]

    def _skip_gap(self, after: int) -> int:
        """Nothing readable after `after` although the head is further: damage, or records that retention removed."""
        return self._facts[0].sequence - 1 if self._facts and self._facts[0].sequence > after + 1 else self._head
