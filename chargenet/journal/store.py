"""The segments on disk as their one writer sees them: synchronous, used by one thread at a time.

Decided here: what a failed write leaves (nothing: the next write goes to a fresh segment, because after a failed fsync the kernel
may call pages clean that never reached the medium), when a segment is full, and the free space below which nothing is written.
"""

from __future__ import annotations

import errno
import logging
import os
from itertools import pairwise
from pathlib import Path

import msgspec

from chargenet.journal.cursors import State, save_state
from chargenet.journal.disk import Disk
from chargenet.journal.format import SEGMENT_HEAD_SIZE, SegmentHeader
from chargenet.journal.index import SegmentIndex
from chargenet.journal.recovery import Found
from chargenet.journal.retention import Policy, Sealed, retired
from chargenet.journal.segment import Segment, create_segment, read_header, segment_path
from chargenet.ports import Clock

log = logging.getLogger(__name__)

_CHECK_BYTES = 1 << 20


class Batch(msgspec.Struct, frozen=True):
    """Records of consecutive sequences from `first` on: their bytes, charge points and instants of receipt, in step."""

    first: int
    data: list[bytes]
    charge_points: list[str]
    received_us: list[int]
    transaction_id: int
    """The highest one among them and all records before."""


class Limits(msgspec.Struct, frozen=True):
    """Sizes in bytes. A segment ends with the batch that passes `segment_bytes`."""

    segment_bytes: int
    free_space_floor_bytes: int
    policy: Policy


class SegmentStore:
    """Open for writing. `segments` is replaced as a whole, so that readers in other threads always see a consistent list."""

    def __init__(self, disk: Disk, directory: Path, clock: Clock, limits: Limits, found: Found, salt: int) -> None:
        self._disk, self._directory, self._clock, self._limits, self._salt = disk, directory, clock, limits, salt
        self._transaction_id = found.transaction_id
        self._saved_cursors = found.state.cursors if found.state is not None else {}
        self.segments: tuple[Segment, ...] = tuple(found.segments)
        self._fd = -1
        self._broken = False
        self._unchecked = _CHECK_BYTES
        following = max(found.last, found.state.sequence if found.state is not None else 0) + 1
        if self.segments and following == found.last + 1:
            self._fd = disk.open(self.segments[-1].path, writable=True)
        else:
            self._begin(following)

    @property
    def last(self) -> int:
        """The last durable sequence."""
        return self._index.last

    @property
    def _index(self) -> SegmentIndex:
        index = self.segments[-1].index
        assert index is not None  # the newest segment always has its index in memory
        return index

    def write(self, batch: Batch) -> int:
        """Make a batch durable; its bytes. After an OSError nothing of it is kept, and `recover` must come before the next one."""
        if self._broken:
            raise OSError(errno.EIO, "an earlier write failed and was not recovered from", str(self._directory))
        self._unchecked += sum(map(len, batch.data))
        if self._unchecked >= _CHECK_BYTES:
            self.check_space()
        active, index = self.segments[-1], self._index
        try:
            if active.end >= self._limits.segment_bytes and not index.empty:
                self._begin(batch.first)
                active, index = self.segments[-1], self._index
            written = self._disk.write(self._fd, batch.data, active.end)
        except Exception:
            self._broken = True
            raise
        index.extend(batch.first, batch.charge_points, map(len, batch.data), batch.received_us)
        index.transaction_id = self._transaction_id = batch.transaction_id
        active.end = index.size
        return written

    def check_space(self) -> None:
        """Raise OSError when less than the floor is free: nothing is written into the last blocks of a disk."""
        free = self._disk.free_bytes(self._directory)
        if free < self._limits.free_space_floor_bytes:
            floor = self._limits.free_space_floor_bytes
            problem = f"{os.strerror(errno.ENOSPC)}: {free} bytes free, the floor is {floor}"
            raise OSError(errno.ENOSPC, problem, str(self._directory))
        self._unchecked = 0

    def recover(self) -> None:
        """Prove that writing works again, and cut what the failed write left. Raises OSError while it does not."""
        self.check_space()
        if self._broken:
            if self._fd >= 0:
                self._disk.truncate(self._fd, self.segments[-1].end)
            self._begin(self.last + 1)
            self._broken = False

    def _begin(self, first: int) -> None:
        """Start a segment whose first record will be `first`; seal the one before."""
        path = segment_path(self._directory, first)
        header = SegmentHeader(self._salt, first, self._transaction_id, self._clock.now_us())
        fd = create_segment(self._disk, path, header)
        self._close_file()
        self._fd = fd
        fresh = Segment(path, SEGMENT_HEAD_SIZE, index=SegmentIndex(first, SEGMENT_HEAD_SIZE))
        if self.segments and self.segments[-1].path == path:  # it was still empty
            self.segments = (*self.segments[:-1], fresh)
            return
        sealed = self.segments[-1] if self.segments else None
        self.segments = (*self.segments, fresh)
        if sealed is not None:
            self._seal(sealed)

    def _seal(self, segment: Segment) -> None:
        index = segment.index
        assert index is not None  # it was the newest one until now
        segment.summary, segment.index = index.summary, None
        try:
            self._disk.replace(segment.index_path, index.encode(), durably=False)
        except OSError as error:  # an aid only: it is built again when it is missing
            log.warning("%s: its index could not be written and will be rebuilt: %s", segment.name, error)

    def save(self, cursors: dict[str, int]) -> None:
        """Make cursors durable; raises OSError."""
        save_state(self._disk, self._directory, State(self._salt, self.last, self._transaction_id, cursors))
        self._saved_cursors = cursors

    def retire(self) -> int:
        """Remove segments that the policy lets go and no durable cursor needs; how many. Raises OSError."""
        now_us, policy = self._clock.now_us(), self._limits.policy
        active, index = self.segments[-1], self._index
        if policy.max_age_us is not None and not index.empty and index.newest_us < now_us - policy.max_age_us:
            self._begin(self.last + 1)
        sealed = [self._sealed(segment, below) for segment, below in pairwise(self.segments)]
        count = retired(sealed, active.end, policy, now_us, self._saved_cursors.values())
        gone, self.segments = self.segments[:count], self.segments[count:]
        for segment in gone:
            self._disk.remove(segment.index_path)
            self._disk.remove(segment.path)
            log.info("%s removed by retention", segment.name)
        return count

    def close(self) -> None:
        """Let go of the file; everything written is durable already."""
        self._close_file()

    def _close_file(self) -> None:
        if self._fd >= 0:
            self._disk.close(self._fd)
            self._fd = -1

    def _sealed(self, segment: Segment, following: Segment) -> Sealed:
        """Without its index, a segment is as young as its successor's beginning: everything in it was received before."""
        if segment.facts is not None:
            return Sealed(segment.end, following.first - 1, segment.facts.newest_us)
        header = read_header(self._disk, following.path)
        return Sealed(segment.end, following.first - 1, header.created_at_us if header is not None else None)
