"""The follower of a program apart: gaps in the journal, stores that are away, and a collector that is another one."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from chargenet.errors import Conflict, StoreUnavailable
from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.testing import MemoryJournal
from chargewatch.apart import follower as follower_module
from chargewatch.apart.follower import Follower, without_gaps
from chargewatch.apart.journal import FarJournal
from chargewatch.apart.wire import News
from collector.feed import JournalFeed
from tests.support.facts import fact
from tests.support.journal import append, durable


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No round waits."""
    monkeypatch.setattr(follower_module, "ROUND_S", 0.0)
    monkeypatch.setattr(follower_module, "RETRY_S", 0.0)


def interpreted(record: Record) -> Fact:
    """A fact of its sequence."""
    return fact(record.sequence)


class Far:
    """A collector's journal, and the answers of its door: the next one that `answers` has, an error or a watermark."""

    def __init__(self, *answers: int | Exception) -> None:
        self.kept, self.answers, self.registrations = MemoryJournal(), list(answers), 1
        self.asked: list[tuple[str, Any]] = []

    async def ask(self, path: str, shape: Any, *, body: Any = None, query: Any = None, wait_s: float = 0.0) -> Any:
        self.asked.append((path, body if query is None else dict(query)))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if path == "/cursors":
            return None
        records = [record for record in self.kept.read(query["after"]) if record.sequence <= answer]
        return News(1, answer, records, [], 0, self.registrations)


async def _nothing() -> None:
    return


async def kept(count: int, *damaged: int) -> Far:
    """So many durable records, some of which cannot be read."""
    far = Far(0)
    for number in range(1, count + 1):
        append(far.kept, number)
    await durable(far.kept)
    for number in damaged:
        far.kept.damage_record(number)
    return far


async def followed(far: Far, refresh: Any = _nothing) -> tuple[Follower, JournalFeed, FarJournal]:
    """After first contact."""
    line = cast("Any", far)
    journal = FarJournal(line)
    follower = Follower(line, journal, interpreted, refresh)
    await follower.first_contact()
    return follower, JournalFeed(far.kept, interpreted), journal


async def until_the_end(follower: Follower, feed: JournalFeed) -> None:
    """Run until there are no more answers."""
    with pytest.raises(IndexError):
        await follower.run(feed)


async def all_after(feed: JournalFeed, position: int) -> list[int]:
    """What a consumer sees up to the head, one fact at a time: as many questions as there can be."""
    seen: list[int] = []
    while position < feed.head and (facts := await feed.next(position, 1)):
        seen.append(facts[0].sequence)
        position = facts[-1].sequence
        if feed.head - position <= 0:
            break
    return seen


def test_facts_are_cut_at_gaps() -> None:
    """Each piece is without one."""
    assert [[each.sequence for each in part] for part in without_gaps([fact(n) for n in (1, 2, 5, 7, 8)])] == [[1, 2], [5], [7, 8]]
    assert [len(part) for part in without_gaps([fact(1)])] == [1]


async def test_damage_in_the_middle_of_an_answer_loses_nothing_else() -> None:
    """Every record that can be read is seen once by a consumer from the beginning, and by one from the middle."""
    far = await kept(9, 3, 4, 7)
    follower, feed, _ = await followed(far)
    far.answers += [9]
    feed._head = 0  # as of a process that has seen the collector before anything was said
    await until_the_end(follower, feed)
    assert await all_after(feed, 0) == [1, 2, 5, 6, 8, 9]
    assert await all_after(feed, 5) == [6, 8, 9] and follower.lag() == 0


async def test_what_can_no_longer_be_read_is_passed() -> None:
    """The end of the journal is damaged: the position goes on, and the consumer gets what comes after, once."""
    far = await kept(3, 2, 3)
    follower, feed, _ = await followed(far)
    far.answers += [1, 3]
    feed._head = 0
    await until_the_end(follower, feed)
    assert feed.head == 3
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await feed.next(1)
    append(far.kept, 4)
    await durable(far.kept)
    far.answers += [4]
    await until_the_end(follower, feed)
    assert [each.sequence for each in await feed.next(1)] == [4]


async def test_cursors_are_told_until_they_arrive() -> None:
    """Those that moved go with the next round; where it fails, with the one after, the newest word of each."""
    far = Far(0)
    follower, feed, journal = await followed(far)
    journal.set_cursor("alerts", 5)
    journal.set_cursor("rollups", 6)
    assert journal.cursor("alerts") == 5
    far.answers += [StoreUnavailable("collector", "is away"), 0]
    await until_the_end(follower, feed)
    assert journal.moved == {} and [body for path, body in far.asked if path == "/cursors"][-1] == {"alerts": 5, "rollups": 6}
    assert follower.problem is not None and "is away" in follower.problem, "until an answer came"


async def test_sql_that_is_away_does_not_end_the_following() -> None:
    """Registrations that changed are read again in the round after."""
    tries: list[int] = []

    async def refresh() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise StoreUnavailable("sql", "is down")

    far = Far(0)
    follower, feed, _ = await followed(far, refresh)
    far.registrations = 2
    far.answers += [0, 0, 0, 0]
    await until_the_end(follower, feed)
    assert len(tries) == 3


async def test_another_journal_ends_the_process() -> None:
    """A collector that has less than was followed is another one, or was restored: nothing of it is taken in."""
    far = await kept(5)
    far.answers = [5]
    follower, feed, _ = await followed(far)
    far.answers += [4]
    with pytest.raises(Conflict, match="ends at 4, but 5 was followed"):
        await follower.run(feed)
