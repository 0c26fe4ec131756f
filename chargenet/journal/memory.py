"""A journal in memory, for tests and demonstrations: the same promises as the durable one, except the disk.

Under a running event loop a commit happens once per loop turn, as a group; without one each append is committed at once. `fail()`
and `heal()` play a disk that fills up and is cleared again; `damage_record()` plays a record that can no longer be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargenet.errors import JournalUnavailable
from chargenet.model.record import NO_DECISION, Decision, Record
from chargenet.model.words import RecordKind


class MemoryJournal:
    """Fake of `chargenet.ports.Journal`. Passes the port's contract suite."""

    def __init__(self) -> None:
        self._records: list[Record] = []
        self._queue: list[Record] = []
        self._durable = 0
        self._last_transaction_id = 0
        self._refusal: str | None = None
        self._cursors: dict[str, int] = {}
        self._damage: dict[int, str] = {}
        self._durable_listeners: list[Callable[[int], None]] = []
        self._failure_listeners: list[Callable[[Exception], None]] = []

    def append(
        self,
        *,
        received_at_us: int,
        charge_point_id: str,
        generation: int,
        protocol: str,
        kind: RecordKind,
        frame: bytes,
        reply: bytes = b"",
        decision: Decision = NO_DECISION,
    ) -> int:
        if self._refusal is not None:
            raise JournalUnavailable(self._refusal)
        sequence = self._durable + len(self._queue) + 1
        record = Record(sequence, received_at_us, charge_point_id, generation, protocol, kind, frame, reply, decision)
        self._last_transaction_id = max(self._last_transaction_id, decision.transaction_id or 0)
        self._queue.append(record)
        if len(self._queue) == 1:
            self._schedule()
        return sequence

    def _schedule(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no loop: a plain function test
            self.commit()
        else:
            loop.call_soon(self.commit)

    def commit(self) -> None:
        """Make everything queued durable now and tell the listeners."""
        if not self._queue:
            return
        self._records += self._queue
        self._durable = self._queue[-1].sequence
        self._queue = []
        for listener in self._durable_listeners:
            listener(self._durable)

    def fail(self, problem: str = "no space left on device") -> None:
        """From now on nothing can be written; what was not yet durable is dropped and was never acknowledged."""
        self._refusal = problem
        self._queue = []
        for listener in self._failure_listeners:
            listener(JournalUnavailable(problem))

    def heal(self) -> None:
        """The disk has space again."""
        self._refusal = None

    def damage_record(self, sequence: int) -> None:
        """The record can no longer be read."""
        self._records = [record for record in self._records if record.sequence != sequence]
        self._damage[sequence] = f"memory: record {sequence} is lost"

    def retain_from(self, sequence: int) -> None:
        """Retention: forget older records, but none above the slowest cursor."""
        floor = min([sequence, *(cursor + 1 for cursor in self._cursors.values())])
        self._records = [record for record in self._records if record.sequence >= floor]

    def on_durable(self, listener: Callable[[int], None]) -> None:
        self._durable_listeners.append(listener)

    def on_failure(self, listener: Callable[[Exception], None]) -> None:
        self._failure_listeners.append(listener)

    @property
    def durable_sequence(self) -> int:
        return self._durable

    @property
    def first_sequence(self) -> int:
        return self._records[0].sequence if self._records else self._durable + 1

    @property
    def last_transaction_id(self) -> int:
        return self._last_transaction_id

    @property
    def pending(self) -> int:
        return len(self._queue)

    @property
    def healthy(self) -> bool:
        return self._refusal is None

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        if not self._damage and self._records:  # dense: the position is known
            start = max(0, after + 1 - self._records[0].sequence)
            return self._records[start : start + limit]
        return [record for record in self._records if record.sequence > after][:limit]

    def read_charge_point(
        self, charge_point_id: str, *, since_us: int = 0, before: int | None = None, limit: int = 100
    ) -> list[Record]:
        below = self._durable + 1 if before is None else before
        found = [
            record
            for record in self._records
            if record.charge_point_id == charge_point_id and record.received_at_us >= since_us and record.sequence < below
        ]
        return found[::-1][:limit]

    def damage(self) -> list[str]:
        return [self._damage[sequence] for sequence in sorted(self._damage)]

    def cursor(self, name: str) -> int:
        return self._cursors.get(name, 0)

    def set_cursor(self, name: str, sequence: int) -> None:
        self._cursors[name] = sequence

    def drop_cursor(self, name: str) -> None:
        self._cursors.pop(name, None)

    def close(self) -> None:
        self.commit()
        self._refusal = "the journal is closed"
