"""The same journal work done by LMDB and by SQLite, for comparison: one writer thread, group commit, acknowledged after fsync.

The event loop side is as in the product (encode, queue, hand over once per loop turn), so that the difference is the storage alone.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec

from chargenet.model.words import RecordKind

Batch = list[tuple[int, bytes]]


class GroupCommit:
    """Append, durable watermark: what a peer shares with the product. `store` makes one batch durable."""

    def __init__(self, store: Callable[[Batch], None]) -> None:
        self._store, self._loop = store, asyncio.get_running_loop()
        self._encode = msgspec.msgpack.Encoder().encode
        self._queue: Batch = []
        self._idle, self._sequence, self.durable_sequence = True, 0, 0
        self._jobs: SimpleQueue[Batch | None] = SimpleQueue()
        self._listeners: list[Callable[[int], None]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def on_durable(self, listener: Callable[[int], None]) -> None:
        self._listeners.append(listener)

    @property
    def pending(self) -> int:
        return self._sequence - self.durable_sequence

    def append(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        reply: bytes,
    ) -> int:
        self._sequence += 1
        data = self._encode((self._sequence, received_at_us, charge_point_id, generation, protocol, kind, frame, reply))
        self._queue.append((self._sequence, data))
        if self._idle:
            self._idle = False
            self._loop.call_soon(self._hand_over)
        return self._sequence

    def _hand_over(self) -> None:
        if self._queue:
            self._jobs.put(self._queue)
            self._queue = []
        else:
            self._idle = True

    def _run(self) -> None:
        while (batch := self._jobs.get()) is not None:
            self._store(batch)
            self._loop.call_soon_threadsafe(self._committed, batch[-1][0])

    def _committed(self, watermark: int) -> None:
        self.durable_sequence = watermark
        self._hand_over()
        for listener in self._listeners:
            listener(watermark)

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()


def lmdb_peer(path: Path) -> GroupCommit:
    """LMDB: one write transaction per batch, appended in key order, synchronous."""
    import lmdb

    environment: Any = lmdb.open(str(path), map_size=8 << 30, sync=True)

    def store(batch: Batch) -> None:
        with environment.begin(write=True) as transaction:
            for sequence, data in batch:
                transaction.put(sequence.to_bytes(8, "big"), data, append=True)

    return GroupCommit(store)


def sqlite_peer(path: Path) -> GroupCommit:
    """SQLite: write-ahead log, synchronous FULL, one transaction per batch."""
    path.mkdir()
    connection = sqlite3.connect(path / "journal.sqlite", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, data BLOB NOT NULL)")

    def store(batch: Batch) -> None:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO record VALUES (?, ?)", batch)
        connection.execute("COMMIT")

    return GroupCommit(store)
