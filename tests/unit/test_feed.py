"""The feed: what comes from memory, what from the journal, and what late consumers share."""

from __future__ import annotations

import asyncio

from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.testing import MemoryJournal
from collector.feed import CHUNK, CHUNKS, TRIM, JournalFeed
from tests.support.facts import fact
from tests.support.journal import append, durable


class Interpreter:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def __call__(self, record: Record) -> Fact:
        self.asked.append(record.sequence)
        return fact(record.sequence)


async def kept(count: int) -> tuple[MemoryJournal, Interpreter, JournalFeed]:
    """A journal of so many durable records, and the feed of a process that has just started."""
    journal, interpreter = MemoryJournal(), Interpreter()
    for number in range(1, count + 1):
        append(journal, number)
    await durable(journal)
    return journal, interpreter, JournalFeed(journal, interpreter, capacity=10)


async def sequences(feed: JournalFeed, after: int, limit: int = 2000) -> list[int]:
    return [each.sequence for each in await feed.next(after, limit)]


async def test_consumers_that_are_late_together_share_an_interpretation() -> None:
    """Each record of a stretch is interpreted once, however many consumers read it, also at the same moment."""
    _, interpreter, feed = await kept(2 * CHUNK + 5)
    one, other = await asyncio.gather(sequences(feed, 0), sequences(feed, 0))
    assert one == other == list(range(1, CHUNK + 1))
    assert await sequences(feed, 17, 3) == [18, 19, 20], "somebody further on asks for few"
    assert interpreter.asked == list(range(1, CHUNK + 1))


async def test_a_late_consumer_reads_to_the_head() -> None:
    """Every fact once and in order, through whole stretches and the one that is still growing."""
    _, _, feed = await kept(2 * CHUNK + 5)
    position, seen = 0, list[int]()
    while position < feed.head:
        seen += await sequences(feed, position)
        position = seen[-1]
    assert seen == list(range(1, 2 * CHUNK + 6))


async def test_the_growing_stretch_is_read_again() -> None:
    """What was read of it before it was whole does not hide what came later."""
    journal, _, feed = await kept(3)
    assert await sequences(feed, 0) == [1, 2, 3]
    append(journal, 4)
    await durable(journal)
    feed.publish([fact(4)], 4)
    assert await sequences(feed, 2) == [3, 4]


async def test_few_stretches_are_kept() -> None:
    """The oldest is forgotten first: memory is bounded whatever consumers do."""
    _, interpreter, feed = await kept((CHUNKS + 1) * CHUNK)
    for number in range(CHUNKS + 1):
        await sequences(feed, number * CHUNK)
    before = len(interpreter.asked)
    await sequences(feed, CHUNKS * CHUNK)
    assert len(interpreter.asked) == before, "the newest is there"
    await sequences(feed, 0)
    assert len(interpreter.asked) == before + CHUNK, "the first is not"


async def test_damage_at_the_end_of_a_stretch_is_passed() -> None:
    """A consumer that stands before records which cannot be read gets the next ones that can."""
    journal, _, feed = await kept(CHUNK + 2)
    for number in (CHUNK - 1, CHUNK):
        journal.damage_record(number)
    assert await sequences(feed, CHUNK - 2) == [CHUNK + 1, CHUNK + 2]
    assert (await sequences(feed, 0))[-1] == CHUNK + 2


async def test_memory_holds_the_newest_facts() -> None:
    """Facts that this process told come from memory; more than capacity and a little are not kept."""
    _, interpreter, feed = await kept(0)
    for number in range(1, 10 + TRIM):
        feed.publish([fact(number)], number)
    assert await sequences(feed, 0, 3) == [1, 2, 3]
    feed.publish([fact(10 + TRIM)], 10 + TRIM)
    assert await sequences(feed, TRIM) == list(range(TRIM + 1, TRIM + 11)) and interpreter.asked == []
