"""Stories of the journal and its disk: full, failing, torn, shared, restarted, grown old."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from chargenet.errors import JournalUnavailable
from chargenet.journal import JournalOptions, SegmentJournal
from chargenet.journal.disk import LocalDisk
from chargenet.journal.segment import segment_paths
from chargenet.model.record import Decision
from chargenet.testing import FrozenClock
from tests.support.journal import SMALL, FaultyDisk, append, durable, expected_frame, fill, until


@asynccontextmanager
async def opened(
    path: Path, *, options: JournalOptions = SMALL, disk: LocalDisk | None = None, clock: FrozenClock | None = None
) -> AsyncIterator[SegmentJournal]:
    """The journal, closed afterwards."""
    journal = SegmentJournal.open(path, clock=clock or FrozenClock(), options=options, disk=disk)
    try:
        yield journal
    finally:
        journal.close()


def sizes(path: Path) -> dict[str, int]:
    """Bytes of each segment file, of those that retention does not remove meanwhile."""
    found = {}
    for segment in segment_paths(path):
        with contextlib.suppress(FileNotFoundError):
            found[segment.name] = segment.stat().st_size
    return found


def indexes(path: Path) -> set[str]:
    """Names of the segments that have an index file."""
    return {index.with_suffix(".segment").name for index in path.glob("*.index")}


async def test_a_disk_that_fills_up_and_is_cleared(tmp_path: Path) -> None:
    """Full in the middle of a write: nothing is corrupted, nothing unacknowledged is kept, and it goes on when there is space."""
    disk = FaultyDisk()
    async with opened(tmp_path, disk=disk) as journal:
        for number in range(1, 21):
            append(journal, number)
        await durable(journal)
        before = sizes(tmp_path)
        disk.capacity = 150  # half of what follows
        for number in range(21, 24):
            append(journal, number)
        await until(lambda: not journal.healthy)
        assert journal.problem == "No space left on device" and journal.durable_sequence == 20 and journal.pending_bytes == 0
        assert sum(sizes(tmp_path).values()) > sum(before.values()), "the failed write left something behind"
        disk.capacity = None
        await until(lambda: journal.healthy)
        assert {name: sizes(tmp_path)[name] for name in before} == before, "and that was cut away"
        assert append(journal, 21) == 21
        await durable(journal)
        assert [record.frame for record in journal.read(0)] == [expected_frame(number) for number in range(1, 22)]
        assert journal.failures == 1
    async with opened(tmp_path) as journal:
        assert [record.sequence for record in journal.read(0)] == list(range(1, 22)) and journal.damage() == []


async def test_a_disk_that_cannot_even_cut(tmp_path: Path) -> None:
    """While the failed write cannot be cut away either, the journal stays closed to appends; nothing of it is ever served."""
    disk = FaultyDisk()
    async with opened(tmp_path, disk=disk) as journal:
        append(journal, 1)
        await durable(journal)
        disk.broken = disk.stuck = True
        append(journal, 2)
        await until(lambda: not journal.healthy)
        disk.broken = False
        attempts = disk.writes
        await asyncio.sleep(5 * SMALL.tick_s)
        assert not journal.healthy and disk.writes == attempts
        disk.stuck = False
        await until(lambda: journal.healthy)
        append(journal, 22)
        await durable(journal)
    async with opened(tmp_path) as journal:
        assert [record.frame for record in journal.read(0)] == [expected_frame(1), expected_frame(22)]


async def test_a_failure_while_a_new_segment_begins(tmp_path: Path) -> None:
    """A disk that fills up just when a segment is full: the half-made segment is made again, no sequence is skipped."""
    disk = FaultyDisk()
    async with opened(tmp_path, disk=disk) as journal:
        number = 0
        while sum(sizes(tmp_path).values()) < SMALL.segment_bytes:
            append(journal, number := number + 1)
            await durable(journal)
        disk.capacity = 10
        append(journal, number + 1)
        await until(lambda: not journal.healthy)
        disk.capacity = None
        await until(lambda: journal.healthy)
        assert append(journal, number + 1) == number + 1
        await durable(journal)
        assert len(sizes(tmp_path)) == 2
        assert [record.sequence for record in journal.read(0)] == list(range(1, number + 2))


async def test_the_floor_of_free_space(tmp_path: Path) -> None:
    """Below the floor nothing is written, although the disk would still take it; above it the journal goes on by itself."""
    disk = FaultyDisk()
    options = msgspec.structs.replace(SMALL, free_space_floor_bytes=1000)
    async with opened(tmp_path, disk=disk, options=options) as journal:
        append(journal, 1)
        await durable(journal)
        disk.free = 999
        await until(lambda: not journal.healthy)
        assert "999 bytes free, the floor is 1000" in str(journal.problem)
        with pytest.raises(JournalUnavailable, match="No space left on device"):
            append(journal, 2)
        disk.free = 1000
        await until(lambda: journal.healthy)
        assert append(journal, 2) == 2


async def test_more_than_the_queue_may_hold(tmp_path: Path) -> None:
    """Appends beyond `queue_limit_bytes` are refused and leave no hole; once the disk has caught up they are taken again."""
    options = msgspec.structs.replace(SMALL, queue_limit_bytes=1000)
    async with opened(tmp_path, options=options) as journal:
        taken = 0
        with pytest.raises(JournalUnavailable, match="bytes wait for the disk already"):
            while True:
                taken = append(journal, taken + 1)
        assert journal.pending == taken and journal.healthy and journal.pending_bytes <= 1000
        await durable(journal)
        assert append(journal, taken + 1) == taken + 1


async def test_a_sector_that_cannot_be_read(tmp_path: Path) -> None:
    """EIO while reading costs the records of that sector and is reported; everything around is served."""
    options = msgspec.structs.replace(SMALL, segment_bytes=1 << 20)
    await fill(tmp_path, 300, options=options)
    disk = FaultyDisk()
    async with opened(tmp_path, options=options, disk=disk) as journal:
        disk.unreadable = {2}
        served = {record.sequence for record in journal.read(0)}
        lost = sorted(set(range(1, 301)) - served)
        assert 40 <= len(lost) <= 46 and lost == list(range(lost[0], lost[-1] + 1))
        (sentence,) = journal.damage()
        assert sentence.startswith("00000000000000000001.segment: bytes ")
        assert sentence.endswith(f"records {lost[0]} to {lost[-1]} are lost")


async def test_a_torn_tail_is_cut_from_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a crash left is removed from the file, and one sentence in the log says so."""
    await fill(tmp_path, 5)
    (segment,) = segment_paths(tmp_path)
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole[64:100] + bytes(4096))
    with caplog.at_level(logging.WARNING):
        async with opened(tmp_path) as journal:
            assert segment.read_bytes() == whole and journal.damage() == []
    assert "4132 bytes behind record 5 were not completely written" in caplog.text


async def test_an_old_record_at_the_end_is_not_served_again(tmp_path: Path) -> None:
    """Bytes of an earlier record behind the last one (a stale block) are valid by checksum, but their sequence is past."""
    await fill(tmp_path, 5)
    (segment,) = segment_paths(tmp_path)
    whole = segment.read_bytes()
    segment.write_bytes(whole + whole[64:])
    async with opened(tmp_path) as journal:
        assert [record.sequence for record in journal.read(0)] == [1, 2, 3, 4, 5]
        assert segment.read_bytes() == whole


async def test_two_processes_cannot_write_one_journal(tmp_path: Path) -> None:
    """A second opening for writing is refused with a sentence that names the holder; after the first is closed it succeeds."""
    async with opened(tmp_path):
        with pytest.raises(JournalUnavailable, match=f"is in use by process {os.getpid()}"):
            SegmentJournal.open(tmp_path, clock=FrozenClock())
    async with opened(tmp_path) as journal:
        assert append(journal, 1) == 1


async def test_another_reader_follows_the_writer(tmp_path: Path) -> None:
    """Opened for reading only while it is written, a journal shows new records and new segments, and takes none itself."""
    async with opened(tmp_path) as journal:
        append(journal, 1)
        await durable(journal)
        follower = SegmentJournal.open(tmp_path, read_only=True)
        seen = [record.sequence for record in follower.read(0)]
        assert seen == [1]
        for number in range(2, 201):
            append(journal, number, decision=Decision(transaction_id=number))
            if number % 20 == 0:
                await durable(journal)
                seen += [record.sequence for record in follower.read(seen[-1])]
        assert seen == list(range(1, 201)) and len(sizes(tmp_path)) > 3
        assert follower.last_transaction_id == journal.last_transaction_id == 200
        assert [record.sequence for record in follower.read_charge_point("CP-1", limit=2)] == [200, 199]
        with pytest.raises(JournalUnavailable, match="reading only"):
            append(follower, 201)
        with pytest.raises(JournalUnavailable, match="reading only"):
            follower.set_cursor("telemetry", 5)


def test_no_journal_to_read(tmp_path: Path) -> None:
    """Looking at a folder without a journal says so, and creates nothing."""
    with pytest.raises(JournalUnavailable, match="there is no journal in"):
        SegmentJournal.open(tmp_path, read_only=True)
    assert list(tmp_path.iterdir()) == []


async def test_sequences_cursors_and_transaction_ids_outlive_everything(tmp_path: Path) -> None:
    """After retention removed all old segments, and restarts: the next sequence, the highest transaction id and cursors hold."""
    clock = FrozenClock()
    options = msgspec.structs.replace(SMALL, retention_days=1.0, retention_interval_s=0.0)
    async with opened(tmp_path, clock=clock, options=options) as journal:
        append(journal, 1, decision=Decision(transaction_id=4711))
        for number in range(2, 101):
            append(journal, number)
            if number % 25 == 0:
                await durable(journal)
        journal.set_cursor("telemetry", 60)
        await asyncio.sleep(3 * SMALL.tick_s)  # a pass of retention that began before must not see the new day
        clock.advance(timedelta(days=2).total_seconds())
        await until(lambda: journal.first_sequence > 1)
        await asyncio.sleep(3 * SMALL.tick_s)
        assert journal.first_sequence <= 61, "the slowest cursor holds what it has not consumed"
        journal.set_cursor("telemetry", 100)
        await until(lambda: journal.first_sequence == 101)
        assert journal.read(0) == [] and journal.durable_sequence == 100
        await until(lambda: len(sizes(tmp_path)) == 1)  # the files go after the records are no longer read
    for _ in range(2):
        async with opened(tmp_path, clock=clock, options=options) as journal:
            assert (journal.durable_sequence, journal.first_sequence) == (100, 101)
            assert (journal.last_transaction_id, journal.cursor("telemetry")) == (4711, 100)
    (tmp_path / "state.json").unlink()
    async with opened(tmp_path, clock=clock, options=options) as journal:
        assert journal.last_transaction_id == 4711, "the segment header knows it as well"
        assert append(journal, 101) == 101


async def test_retention_by_age_without_indexes(tmp_path: Path) -> None:
    """A segment whose index was lost in a crash is let go as well, no earlier than its successor's beginning is old enough."""
    clock = FrozenClock()
    await fill(tmp_path, 120, clock=clock)
    for name in indexes(tmp_path):
        (tmp_path / name).with_suffix(".index").unlink()
    options = msgspec.structs.replace(SMALL, retention_days=1.0, retention_interval_s=0.0)
    clock.advance(timedelta(hours=23).total_seconds())
    async with opened(tmp_path, clock=clock, options=options) as journal:
        await asyncio.sleep(3 * SMALL.tick_s)
        assert journal.first_sequence == 1
        clock.advance(timedelta(hours=2).total_seconds())
        await until(lambda: journal.first_sequence == 121)


async def test_retention_by_size(tmp_path: Path) -> None:
    """Above `max_bytes` the oldest segments go, as long as the cursors allow."""
    options = msgspec.structs.replace(SMALL, max_bytes=3 * SMALL.segment_bytes, retention_interval_s=0.0)
    async with opened(tmp_path, options=options) as journal:
        journal.set_cursor("slow", 0)
        for number in range(1, 401):
            append(journal, number)
            if number % 20 == 0:
                await durable(journal)
        await asyncio.sleep(3 * SMALL.tick_s)
        assert journal.first_sequence == 1 and journal.size_bytes > 3 * SMALL.segment_bytes
        journal.drop_cursor("slow")
        await until(lambda: journal.first_sequence > 1)
        assert journal.size_bytes <= 3 * SMALL.segment_bytes
        records = journal.read(0)
        assert [record.sequence for record in records] == list(range(journal.first_sequence, 401))
        await until(lambda: sum(sizes(tmp_path).values()) == journal.size_bytes)
        assert indexes(tmp_path) <= sizes(tmp_path).keys()


async def test_lost_records_keep_their_sequences(tmp_path: Path) -> None:
    """A medium that lost acknowledged records at the end: they are reported, and their sequences are not given to others."""
    await fill(tmp_path, 30)
    (segment,) = segment_paths(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content[: len(content) // 2])
    async with opened(tmp_path) as journal:
        last = journal.read(0)[-1].sequence
        assert last < 20 and f"records {last + 1} to 30 are lost" in journal.damage()[0]
        assert append(journal, 31) == 31


async def test_measures_are_handed_over(tmp_path: Path) -> None:
    """Each commit is told with its records, bytes and seconds, and counted."""
    told: list[tuple[int, int, float]] = []
    async with opened(tmp_path) as journal:
        journal.on_commit = lambda records, size, seconds: told.append((records, size, seconds))
        for number in range(1, 6):
            append(journal, number)
        await durable(journal)
        assert [records for records, _, _ in told] == [5]
        assert told[0][1] == journal.bytes_written == sum(sizes(tmp_path).values()) - 64
        assert (journal.commits, journal.records_written) == (1, 5)


@pytest.fixture
def small_mount(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 4 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting a small tmpfs needs root")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", tmp_path], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is not permitted here: {made.stderr.strip()}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


async def test_a_really_full_disk(small_mount: Path) -> None:
    """On a file system of 4 MB: full is noticed, all that was acknowledged is there, and removing a file is enough to go on."""
    ballast = small_mount / "ballast"
    ballast.write_bytes(bytes(2 << 20))
    options = msgspec.structs.replace(SMALL, segment_bytes=1 << 20)
    async with opened(small_mount / "journal", options=options) as journal:
        number = 0
        while journal.healthy:
            number += 1
            append(journal, number, padding=10_000)
            await until(lambda: journal.pending < 8)
        acknowledged = journal.durable_sequence
        assert 100 < acknowledged < 210
        assert journal.read(0, 1000)[-1].sequence == acknowledged
        ballast.unlink()
        await until(lambda: journal.healthy)
        assert append(journal, acknowledged + 1, padding=10_000) == acknowledged + 1
        await durable(journal)
    async with opened(small_mount / "journal", options=options) as journal:
        records = journal.read(0, 1000)
        assert [record.frame for record in records] == [expected_frame(n, 10_000) for n in range(1, acknowledged + 2)]
        assert journal.damage() == []
