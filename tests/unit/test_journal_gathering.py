"""Few records that queue while the disk is busy wait a moment for company; many do not, and nothing waits after a pause."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from chargenet.journal import SegmentJournal
from chargenet.testing import FrozenClock
from tests.support.journal import SMALL, append, durable, until

FOR_EVER_S = 3600.0
GATHERING = msgspec.structs.replace(SMALL, gather_s=FOR_EVER_S, few_records=3)


async def _handed_over(journal: SegmentJournal) -> int:
    """Let the queue go to the disk; nobody can hear yet that it is durable. How many records went."""
    went = journal.pending
    await asyncio.sleep(0)
    return went


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


async def test_the_first_record_after_a_pause_is_written_at_once(tmp_path: Path, clock: FrozenClock) -> None:
    """However long few records would wait for company: nobody answers a lone charge point late."""
    journal = SegmentJournal.open(tmp_path, clock=clock, options=GATHERING)
    append(journal, 1)
    await durable(journal)
    assert journal.commits == 1
    journal.close()


async def test_few_records_wait_for_company(tmp_path: Path, clock: FrozenClock) -> None:
    """What queued during a commit is not written alone: it goes with what comes in the next moment, or when the journal closes."""
    journal = SegmentJournal.open(tmp_path, clock=clock, options=GATHERING)
    done: list[int] = []
    journal.on_durable(done.append)
    append(journal, 1)
    first = await _handed_over(journal)
    append(journal, 2)
    await until(lambda: bool(done))
    assert (first, journal.durable_sequence, journal.pending, journal.commits) == (1, 1, 1, 1)
    append(journal, 3)
    journal.close()
    assert (journal.durable_sequence, journal.commits) == (3, 2), "both in one commit"


async def test_many_records_do_not_wait(tmp_path: Path, clock: FrozenClock) -> None:
    """As many as `few_records` are worth a commit of their own."""
    journal = SegmentJournal.open(tmp_path, clock=clock, options=GATHERING)
    append(journal, 1)
    await _handed_over(journal)
    for number in range(2, 5):
        append(journal, number)
    await durable(journal)
    assert journal.commits == 2
    journal.close()


async def test_few_records_wait_no_longer_than_said(tmp_path: Path, clock: FrozenClock) -> None:
    """Counted from the commit before: where that began long ago, they go at once."""
    journal = SegmentJournal.open(tmp_path, clock=clock, options=GATHERING)
    append(journal, 1)
    await _handed_over(journal)
    append(journal, 2)
    clock.advance(FOR_EVER_S + 1)
    await durable(journal)
    assert journal.commits == 2
    journal.close()


async def test_after_a_full_batch_records_wait_longer(tmp_path: Path, clock: FrozenClock) -> None:
    """A busy journal gathers for `busy_gather_s`, a quiet one for `gather_s`: the batch before says which it is."""
    options = msgspec.structs.replace(GATHERING, gather_s=0.0, busy_gather_s=FOR_EVER_S, busy_records=2)
    journal = SegmentJournal.open(tmp_path, clock=clock, options=options)
    append(journal, 1)
    append(journal, 2)
    await _handed_over(journal)
    append(journal, 3)
    await until(lambda: journal.commits == 1)
    assert journal.pending == 1, "the full batch is durable, what came after it waits"
    journal.close()
    journal = SegmentJournal.open(tmp_path, clock=clock, options=options)
    append(journal, 4)
    await _handed_over(journal)
    append(journal, 5)
    await durable(journal)
    assert journal.commits == 2, "nothing waits after a batch of one"
    journal.close()
