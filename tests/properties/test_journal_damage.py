"""Whatever happens to its files, a journal serves only what was appended, and all of it that is still there."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargenet.journal import SegmentJournal
from chargenet.journal.cursors import FILE_NAME, load_state, save_state
from chargenet.journal.disk import LocalDisk
from chargenet.journal.format import HEAD_SIZE, SEGMENT_HEAD_SIZE
from chargenet.journal.segment import segment_paths
from chargenet.model.record import Record
from chargenet.testing import FrozenClock
from tests.support.journal import SMALL, append, durable, expected_frame, fill

COUNT = 120
DISK = LocalDisk()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed journal of several segments with records 1 to COUNT."""
    path = tmp_path_factory.mktemp("original") / "journal"
    asyncio.run(fill(path, COUNT))
    assert len(segment_paths(path)) >= 3
    return path


@contextmanager
def copied(original: Path) -> Iterator[Path]:
    """A copy to damage, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(shutil.copytree(original, Path(folder) / "journal"))


def forget_promise(path: Path) -> None:
    """Make the state file older than the last records, as a crash does."""
    state = load_state(DISK, path)
    assert state is not None
    save_state(DISK, path, msgspec.structs.replace(state, sequence=0))


def places(path: Path) -> dict[int, tuple[Path, int, int]]:
    """Sequence → segment, first and behind-the-last byte of its record on disk, found by the lengths alone."""
    found: dict[int, tuple[Path, int, int]] = {}
    segments = segment_paths(path)
    bounds = [*(int(segment.stem) for segment in segments), COUNT + 1]
    for segment, (first, below) in zip(segments, pairwise(bounds), strict=True):
        data, offset = segment.read_bytes(), SEGMENT_HEAD_SIZE
        for sequence in range(first, below):
            length = int.from_bytes(data[offset + 4 : offset + 8], "little") + HEAD_SIZE
            found[sequence] = (segment, offset, offset + length)
            offset += length
        assert offset == len(data)
    return found


class Seen(msgspec.Struct):
    """What a journal serves and says after it was opened again."""

    sequences: list[int]
    damage: list[str]
    following: int
    again: list[int]


def reopen(path: Path) -> Seen:
    """Open, read in order and by charge point, append one record, open again. Every served record must be one that was appended."""

    async def story() -> Seen:
        journal = SegmentJournal.open(path, clock=FrozenClock(), options=SMALL)
        records = journal.read(0, 10_000)
        for record in records:
            genuine(record)
        by_charge_point = [r for number in range(5) for r in journal.read_charge_point(f"CP-{number}", limit=1000)]
        assert sorted(by_charge_point, key=_sequence) == records
        following = append(journal, 10_000)
        await durable(journal)
        damage = journal.damage()
        journal.close()
        journal = SegmentJournal.open(path, clock=FrozenClock(), options=SMALL)
        again = [record.sequence for record in journal.read(0, 10_000)]
        journal.close()
        return Seen([record.sequence for record in records], damage, following, again)

    return asyncio.run(story())


def genuine(record: Record) -> None:
    """It is, field for field, the record appended under this sequence."""
    assert record.frame == expected_frame(record.sequence)
    assert record.charge_point_id == f"CP-{record.sequence % 5}"
    assert record.reply == b"[3]"


def _sequence(record: Record) -> int:
    return record.sequence


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_torn_tail_is_cut_and_everything_before_it_is_served(original: Path, data: st.DataObject) -> None:
    """Cut anywhere, followed by zeros or not, the newest segment serves exactly the whole records before the cut, and goes on."""
    with copied(original) as path:
        where = places(path)
        newest = segment_paths(path)[-1]
        cut = data.draw(st.integers(0, newest.stat().st_size), label="cut")
        zeros = data.draw(st.sampled_from([0, 1, 11, 512, 9000]), label="zeros")
        newest.write_bytes(newest.read_bytes()[:cut] + bytes(zeros))
        forget_promise(path)
        whole = [sequence for sequence, (segment, _, stop) in where.items() if segment != newest or stop <= cut]
        seen = reopen(path)
        assert seen.sequences == whole
        assert seen.following == whole[-1] + 1
        assert seen.again == [*whole, seen.following]
        assert seen.damage == []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_damage_costs_only_the_records_it_hit_and_is_reported(original: Path, data: st.DataObject) -> None:
    """Change any bytes of any segments: every record that was not touched is served, no other is, and the loss is told."""
    with copied(original) as path:
        where = places(path)
        hit: set[tuple[Path, int]] = set()
        for _ in range(data.draw(st.integers(1, 4), label="strokes")):
            segment = data.draw(st.sampled_from(segment_paths(path)), label="segment")
            content = bytearray(segment.read_bytes())
            at = data.draw(st.integers(0, len(content) - 1), label="at")
            junk = data.draw(st.binary(min_size=1, max_size=200), label="junk")
            for offset, byte in zip(range(at, len(content)), junk, strict=False):
                if content[offset] != byte:
                    hit.add((segment, offset))
                content[offset] = byte
            segment.write_bytes(content)
        lost = {
            sequence
            for sequence, (segment, start, stop) in where.items()
            if any(file == segment and start <= offset < stop for file, offset in hit)
        }
        seen = reopen(path)
        assert seen.sequences == [sequence for sequence in range(1, COUNT + 1) if sequence not in lost]
        assert bool(seen.damage) == bool(lost), (seen.damage, lost)
        assert seen.following == COUNT + 1, "a lost record's sequence is never given to another"
        assert seen.again == [*seen.sequences, COUNT + 1]


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_indexes_and_state_are_only_aids(original: Path, data: st.DataObject) -> None:
    """Damage or remove any index, or the state file: every record is still served, in order and by charge point."""
    with copied(original) as path:
        aid = data.draw(st.sampled_from([*sorted(path.glob("*.index")), path / FILE_NAME]))
        content = bytearray(aid.read_bytes())
        at = data.draw(st.integers(0, len(content) - 1), label="at")
        content[at] ^= data.draw(st.integers(1, 255), label="flip")
        if data.draw(st.booleans(), label="remove"):
            aid.unlink()
        else:
            aid.write_bytes(content)
        seen = reopen(path)
        assert seen.sequences == list(range(1, COUNT + 1))
        assert seen.following == COUNT + 1
        assert all(FILE_NAME in sentence for sentence in seen.damage)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_looking_changes_nothing(original: Path, data: st.DataObject) -> None:
    """A journal opened for reading only leaves every byte of a damaged folder as it was, and serves only what was appended."""
    with copied(original) as path:
        newest = data.draw(st.sampled_from(segment_paths(path)), label="segment")
        content = newest.read_bytes()
        newest.write_bytes(content[: data.draw(st.integers(0, len(content)), label="cut")])
        before = {file.name: file.read_bytes() for file in path.iterdir()}
        journal = SegmentJournal.open(path, read_only=True)
        for record in journal.read(0, 10_000):
            genuine(record)
        journal.read_charge_point("CP-1")
        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
