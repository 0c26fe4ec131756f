"""What the journal tests share: records to append, a disk that fails on demand, and waiting for durability."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from chargenet.journal import JournalOptions, SegmentJournal
from chargenet.journal.disk import LocalDisk
from chargenet.model.record import NO_DECISION, Decision
from chargenet.model.words import RecordKind
from chargenet.ports import Clock, Journal
from chargenet.testing import FrozenClock

START_US = FrozenClock().now_us()
SMALL = JournalOptions(segment_bytes=4096, free_space_floor_bytes=0, tick_s=0.01)
"""Segments of a few dozen records, and a quick tick."""


def append(
    journal: Journal, number: int, *, charge_point_id: str = "CP-1", decision: Decision = NO_DECISION, padding: int = 40
) -> int:
    """Append the record that `expected_frame(number)` describes, received `number` seconds after START_US."""
    return journal.append(
        received_at_us=START_US + number * 1_000_000,
        charge_point_id=charge_point_id,
        generation=1,
        protocol="ocpp1.6",
        kind=RecordKind.CALL,
        frame=expected_frame(number, padding),
        reply=b"[3]",
        decision=decision,
    )


def expected_frame(number: int, padding: int = 40) -> bytes:
    """The frame of record `number`, recognisable in any dump."""
    return b"frame %d " % number + b"x" * padding


async def durable(journal: Journal) -> None:
    """Return when nothing is pending."""
    await until(lambda: journal.pending == 0)


async def until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds; the test's own timeout bounds the wait."""
    while not condition():  # noqa: ASYNC110 - conditions are about disks and threads, which set no event
        await asyncio.sleep(0.001)


async def fill(path: Path, count: int, *, options: JournalOptions = SMALL, clock: Clock | None = None) -> None:
    """A closed journal at `path` that holds records 1 to `count`, of charge points CP-0 to CP-4 in turn."""
    journal = SegmentJournal.open(path, clock=clock or FrozenClock(), options=options)
    for number in range(1, count + 1):
        append(journal, number, charge_point_id=f"CP-{number % 5}")
        if number % 10 == 0:
            await durable(journal)
    journal.close()


class FaultyDisk(LocalDisk):
    """A real disk until told otherwise.

    `capacity`: bytes that may still be written; the write that passes it is done in part and fails with ENOSPC. `broken`: writes
    fail with EIO. `stuck`: truncating fails too. `free`: what it says is free. `unreadable`: 4 KiB sectors whose reading fails.
    """

    def __init__(self) -> None:
        self.capacity: int | None = None
        self.broken = self.stuck = False
        self.free = 1 << 40
        self.unreadable: set[int] = set()
        self.writes = 0

    def write(self, fd: int, buffers: Sequence[bytes], offset: int) -> int:
        self.writes += 1
        data = b"".join(buffers)
        if self.broken:
            os.pwrite(fd, data[: len(data) // 2], offset)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self.capacity is not None:
            if len(data) > self.capacity:
                os.pwrite(fd, data[: self.capacity], offset)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.capacity -= len(data)
        return super().write(fd, buffers, offset)

    def truncate(self, fd: int, size: int) -> None:
        if self.stuck:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(fd, size)

    def read(self, fd: int, size: int, offset: int) -> bytes:
        if any(offset < (sector + 1) * 4096 and offset + size > sector * 4096 for sector in self.unreadable):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(fd, size, offset)

    def free_bytes(self, path: Path) -> int:
        return self.free
