"""What waits to be told: in order, bounded, and durable only where it must be."""

from __future__ import annotations

import asyncio
from typing import Any

from simulator.outbox import Item, Outbox
from simulator.reports import Heartbeat, Metered, Sample, Session, Started
from tests.support.exposition import START

SESSION = Session(1, "t", "04A0", 0, None)
SAMPLE = Sample(at=START, context="Sample.Periodic", register_wh=1.0)


def metered(seq_no: int) -> Item:
    return Item(Metered(session=SESSION, sample=SAMPLE, seq_no=seq_no))


async def drained(outbox: Outbox) -> list[Item]:
    items = []
    while (item := await outbox.get(0.0)) is not None:
        items.append(item)
    return items


async def test_first_in_first_out_and_back_to_the_front() -> None:
    """Order is kept, and what could not be delivered is next again."""
    outbox = Outbox()
    first, second = metered(0), metered(1)
    outbox.put(first)
    outbox.put(second)
    taken = await outbox.get(0.0)
    assert taken is first
    outbox.put_back(taken)
    assert await drained(outbox) == [first, second]


async def test_a_full_outbox_loses_the_oldest_reading_and_counts_it() -> None:
    """The start of a transaction outlives its readings."""
    outbox = Outbox(limit=3)
    start = Item(Started(session=SESSION, sample=SAMPLE, seq_no=0))
    items = [start, *(metered(number) for number in range(1, 6))]
    for item in items:
        outbox.put(item)
    assert await drained(outbox) == [start, items[4], items[5]]
    assert outbox.lost == 3


async def test_without_a_connection_only_durable_reports_wait() -> None:
    """A heartbeat is forgotten with its connection, and whoever waits for its answer is told that none comes."""
    outbox = Outbox()
    answer: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
    kept = metered(0)
    outbox.put(Item(Heartbeat(), answer))
    outbox.put(kept)
    outbox.forget_passing()
    assert await drained(outbox) == [kept]
    assert answer.result() is None


async def test_get_waits_for_what_comes() -> None:
    """A pump that waits on an empty outbox is woken by the next report."""
    outbox = Outbox()
    item = metered(0)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(outbox.get(30.0))
        await asyncio.sleep(0)
        outbox.put(item)
    assert waiting.result() is item
