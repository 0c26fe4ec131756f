"""Opening a journal for writing: lock, look, repair, report, and only then write. It blocks, and runs once, at start."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from chargenet.errors import JournalUnavailable
from chargenet.journal.cursors import FILE_NAME, State, save_state
from chargenet.journal.damage import DamageReport
from chargenet.journal.disk import Disk, problem
from chargenet.journal.lock import acquire
from chargenet.journal.options import JournalOptions
from chargenet.journal.reader import SegmentReader
from chargenet.journal.recovery import Found, cut, find
from chargenet.journal.retention import Policy
from chargenet.journal.store import Limits, SegmentStore
from chargenet.journal.walk import Gap
from chargenet.ports import Clock


class Opened(msgspec.Struct):
    """The parts of an open journal."""

    salt: int
    store: SegmentStore
    reader: SegmentReader
    transaction_id: int
    cursors: dict[str, int]
    lock: int

    def close(self) -> None:
        """Let go of the newest segment and of the lock."""
        self.store.close()
        os.close(self.lock)


def open_for_writing(disk: Disk, directory: Path, clock: Clock, options: JournalOptions) -> Opened:
    """Raises JournalUnavailable when another process has it, or the disk does not let it be opened."""
    lock = None
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = acquire(directory)
        return _open(disk, directory, clock, options, lock)
    except (OSError, JournalUnavailable) as error:
        if lock is not None:
            os.close(lock)
        if isinstance(error, JournalUnavailable):
            raise
        raise JournalUnavailable(problem(error)) from error


def _open(disk: Disk, directory: Path, clock: Clock, options: JournalOptions, lock: int) -> Opened:
    found = find(disk, directory)
    cut(disk, found)
    damage = DamageReport()
    _report(found, damage)
    salt = found.salt if found.salt is not None else int.from_bytes(os.urandom(4), "little")
    if found.state is None:
        save_state(disk, directory, State(salt, found.last, found.transaction_id))
    limits = Limits(options.segment_bytes, options.free_space_floor_bytes, Policy(options.max_bytes, options.max_age_us))
    store = SegmentStore(disk, directory, clock, limits, found, salt)
    reader = SegmentReader(disk, salt, lambda: store.segments, damage, writable=True)
    cursors = found.state.cursors if found.state is not None else {}
    return Opened(salt, store, reader, found.transaction_id, cursors, lock)


def _report(found: Found, damage: DamageReport) -> None:
    for segment, gap in found.gaps:
        damage.add(segment.name, gap)
    if found.state is None and found.segments:
        damage.note(FILE_NAME, 0, f"{FILE_NAME}: missing or damaged; the cursors of all consumers are lost")
    promised = found.state.sequence if found.state is not None else 0
    if promised > found.last and found.segments:
        newest = found.segments[-1]
        damage.add(newest.name, Gap(newest.end, newest.end + found.tail, found.last, promised + 1))
