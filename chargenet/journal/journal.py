"""The durable journal: checksummed append-only segments behind `chargenet.ports.Journal`.

Decided here: what happens on the event loop. A record is encoded and queued; once per loop turn, and again whenever a commit is
done (a moment later, where few records wait), everything queued goes to the writer thread as one batch. Its outcome moves the
watermark, or drops what was not acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Literal, overload

from chargenet.errors import JournalUnavailable
from chargenet.journal.cursors import Cursors
from chargenet.journal.disk import Disk, LocalDisk, problem
from chargenet.journal.follow import FollowedJournal
from chargenet.journal.format import record_encoder
from chargenet.journal.opening import Opened, open_for_writing
from chargenet.journal.options import JournalOptions
from chargenet.journal.reader import SegmentReader
from chargenet.journal.store import Batch
from chargenet.journal.writer import Committed, Failed, Outcome, Recovered, Refused, Tidied, Writer
from chargenet.model.record import NO_DECISION, Decision, Record
from chargenet.model.words import RecordKind
from chargenet.ports import Clock

log = logging.getLogger(__name__)

_DEFAULTS = JournalOptions()


class SegmentJournal:
    """Adapter of `chargenet.ports.Journal`. Make it with `open`, on the event loop that will append.

    Back-pressure is the callers': they stop reading from sockets while `pending` is high. `append` itself accepts until the queue
    holds `queue_limit_bytes`, then raises JournalUnavailable. `on_commit(records, bytes, seconds)`, `commits`, `records_written`,
    `bytes_written`, `failures` and `last_commit_s` are there to be measured.
    """

    def __init__(self, opened: Opened, clock: Clock, options: JournalOptions, loop: asyncio.AbstractEventLoop) -> None:
        self._opened, self._clock, self._options, self._loop = opened, clock, options, loop
        self._store = opened.store
        self._encode = record_encoder(opened.salt)
        self._call_soon = loop.call_soon
        self._data: list[bytes] = []
        self._charge_points: list[str] = []
        self._received_us: list[int] = []
        self._queued_bytes = 0
        self._queue_limit = options.queue_limit_bytes
        self._idle = True
        self._handed_over_at = clock.monotonic() - options.gather_s
        self._gathering: asyncio.TimerHandle | None = None
        self._closed = False
        self._refusal: str | None = None
        self._durable = opened.store.last
        self._next = self._durable + 1
        self._last_transaction_id = opened.transaction_id
        self._cursors = Cursors(opened.cursors)
        self._durable_listeners: list[Callable[[int], None]] = []
        self._failure_listeners: list[Callable[[Exception], None]] = []
        self.on_commit: Callable[[int, int, float], None] | None = None
        self.commits = self.records_written = self.bytes_written = self.failures = 0
        self.last_commit_s = 0.0
        self._reader: SegmentReader = opened.reader
        self._writer = Writer(opened.store, clock, loop, self._deliver)
        self._tidying = False
        self._retired_at = clock.monotonic() - options.retention_interval_s
        self._timer = loop.call_later(options.tick_s, self._tick)

    @overload
    @classmethod
    def open(
        cls, path: Path, *, clock: Clock, options: JournalOptions = ..., disk: Disk | None = ..., read_only: Literal[False] = ...
    ) -> SegmentJournal: ...

    @overload
    @classmethod
    def open(
        cls, path: Path, *, read_only: Literal[True], clock: Clock | None = ..., disk: Disk | None = ...
    ) -> FollowedJournal: ...

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Clock | None = None,
        options: JournalOptions = _DEFAULTS,
        disk: Disk | None = None,
        read_only: bool = False,
    ) -> SegmentJournal | FollowedJournal:
        """The journal in the folder `path`, made when missing; raises JournalUnavailable, also while another process writes it.

        `read_only` never changes anything, works while another process writes, and needs no event loop.
        """
        if read_only:
            return FollowedJournal(disk or LocalDisk(), path)
        if clock is None:
            raise TypeError("a journal open for writing needs a clock")
        opened = open_for_writing(disk or LocalDisk(), path, clock, options)
        return cls(opened, clock, options, asyncio.get_running_loop())

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
        # This runs for each frame of the network: no call in it that could be made once per commit instead.
        if self._refusal is not None:
            raise JournalUnavailable(self._refusal)
        sequence = self._next
        data = self._encode(sequence, received_at_us, charge_point_id, generation, protocol, kind, frame, reply, decision)
        queued = self._queued_bytes + len(data)
        if queued > self._queue_limit:
            raise JournalUnavailable(f"{self._queued_bytes} bytes wait for the disk already")
        self._queued_bytes = queued
        self._next = sequence + 1
        if decision is not NO_DECISION and (decision.transaction_id or 0) > self._last_transaction_id:
            self._last_transaction_id = decision.transaction_id or 0
        self._data.append(data)
        self._charge_points.append(charge_point_id)
        self._received_us.append(received_at_us)
        if self._idle:
            self._idle = False
            self._call_soon(self._hand_over)
        return sequence

    def _hand_over(self) -> None:
        """Give everything queued to the writer thread; only while it has no batch."""
        self._gathering = None
        if not self._data:
            self._idle = True
            return
        self._handed_over_at = self._clock.monotonic()
        first = self._next - len(self._data)
        batch = Batch(first, self._data, self._charge_points, self._received_us, self._last_transaction_id)
        self._data, self._charge_points, self._received_us = [], [], []
        self._writer.commit(batch)

    def _hand_over_soon(self, records: int) -> None:
        """After a commit of `records`: at once when there is much to write or the last batch was long ago."""
        options, queued = self._options, len(self._data)
        gather_s = options.gather_s if records < options.busy_records else options.busy_gather_s
        wait_s = self._handed_over_at + gather_s - self._clock.monotonic()
        if 0 < queued < options.few_records and wait_s > 0:
            self._gathering = self._loop.call_later(wait_s, self._hand_over)
        else:
            self._hand_over()

    def _gather_no_more(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None

    def _deliver(self, outcome: Outcome) -> None:
        match outcome:
            case Committed():
                self._commit(outcome)
            case Failed(error):
                self._drop(error)
            case Refused(error):
                self._refuse(error)
                self._tidying = False
            case Recovered():
                self._accept()
            case Tidied(error):
                self._tidying = False
                if error is not None:
                    self._cursors.changed = True
                    log.error("journal state could not be saved: %s", problem(error))

    def _commit(self, outcome: Committed) -> None:
        self._durable = outcome.last
        self._queued_bytes -= outcome.size
        self._hand_over_soon(outcome.records)  # first, so that the disk works while the listeners do
        self.commits += 1
        self.records_written += outcome.records
        self.bytes_written += outcome.size
        self.last_commit_s = outcome.seconds
        if self.on_commit is not None:
            self.on_commit(outcome.records, outcome.size, outcome.seconds)
        for listener in self._durable_listeners:
            listener(outcome.last)

    def _drop(self, error: Exception) -> None:
        """Nothing after the watermark was acknowledged: forget it, and take nothing more until the disk is well."""
        lost = self._next - 1 - self._durable
        self._gather_no_more()
        self._data, self._charge_points, self._received_us = [], [], []
        self._queued_bytes, self._next, self._idle = 0, self._durable + 1, True
        self.failures += 1
        log.error("journal: %d records were not written and will not be acknowledged: %s", lost, problem(error))
        self._refuse(error)
        for listener in self._failure_listeners:
            listener(JournalUnavailable(problem(error)))

    def _refuse(self, error: Exception) -> None:
        if self._refusal is None:
            self._refusal = problem(error)
            log.error("journal takes no records: %s", self._refusal)

    def _accept(self) -> None:
        if not self._closed and self._refusal is not None:
            self._refusal = None
            log.warning("journal takes records again")

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._options.tick_s, self._tick)
        if self._tidying:  # the disk is slow: one round at a time
            return
        self._tidying = True
        now = self._clock.monotonic()
        retire = self._refusal is not None or now - self._retired_at >= self._options.retention_interval_s
        if retire:
            self._retired_at = now
        save = self._cursors.changed
        self._writer.tidy(self._cursors.snapshot(), save=save, retire=retire)
        if self._refusal is not None:
            self._writer.recover()

    def on_durable(self, listener: Callable[[int], None]) -> None:
        self._durable_listeners.append(listener)

    def on_failure(self, listener: Callable[[Exception], None]) -> None:
        self._failure_listeners.append(listener)

    @property
    def durable_sequence(self) -> int:
        return self._durable

    @property
    def first_sequence(self) -> int:
        return min(self._store.segments[0].first, self._durable + 1)

    @property
    def last_transaction_id(self) -> int:
        return self._last_transaction_id

    @property
    def pending(self) -> int:
        return self._next - 1 - self._durable

    @property
    def pending_bytes(self) -> int:
        """Bytes appended but not yet durable."""
        return self._queued_bytes

    @property
    def healthy(self) -> bool:
        return self._refusal is None

    @property
    def problem(self) -> str | None:
        """Why nothing is taken at present, in words; None while healthy."""
        return self._refusal

    @property
    def size_bytes(self) -> int:
        """Bytes of all segments kept."""
        return sum(segment.end for segment in self._store.segments)

    def read(self, after: int, limit: int = 1000) -> list[Record]:
        return self._reader.read(after, limit, self._durable)

    def read_charge_point(
        self, charge_point_id: str, *, since_us: int = 0, before: int | None = None, limit: int = 100
    ) -> list[Record]:
        below = self._durable + 1 if before is None else min(before, self._durable + 1)
        return self._reader.read_charge_point(charge_point_id, since_us, below, limit)

    def damage(self) -> list[str]:
        return self._reader.damage.sentences()

    def cursor(self, name: str) -> int:
        return self._cursors.get(name)

    def set_cursor(self, name: str, sequence: int) -> None:
        self._cursors.set(name, sequence)

    def drop_cursor(self, name: str) -> None:
        self._cursors.drop(name)

    def close(self) -> None:
        """Flush, save the cursors, end the thread, let go of the lock. Blocks for one commit; again, it does nothing."""
        if self._closed:
            return
        self._closed = True
        self._timer.cancel()
        self._gather_no_more()
        if self._data:
            self._hand_over()
        self._refusal = self._refusal or "the journal is closed"
        self._writer.tidy(self._cursors.snapshot(), save=True, retire=False)
        self._writer.close()
        self._opened.close()
