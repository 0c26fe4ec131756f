"""The journal's one thread. Decided here: jobs run one after the other, and each ends in an outcome told on the event loop.

Not decided here: what is a batch (the event loop side gathers it) and what failure means to callers.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

import msgspec

from chargenet.journal.store import Batch, SegmentStore
from chargenet.ports import Clock

log = logging.getLogger(__name__)


class Committed(msgspec.Struct, frozen=True):
    """A batch is durable."""

    last: int
    records: int
    size: int
    seconds: float


class Failed(msgspec.Struct, frozen=True):
    """A batch was dropped."""

    error: Exception


class Refused(msgspec.Struct, frozen=True):
    """Nothing was lost, but nothing may be appended now."""

    error: Exception


class Recovered(msgspec.Struct, frozen=True):
    """Appending works again."""


class Tidied(msgspec.Struct, frozen=True):
    """Cursors saved, retention done; `error` when the disk did not let it."""

    error: Exception | None = None


Outcome = Committed | Failed | Refused | Recovered | Tidied


class Writer:
    """Runs jobs on a store in one thread and hands outcomes to `deliver` on the event loop, in order."""

    def __init__(
        self, store: SegmentStore, clock: Clock, loop: asyncio.AbstractEventLoop, deliver: Callable[[Outcome], None]
    ) -> None:
        self._store, self._clock, self._loop, self._deliver = store, clock, loop, deliver
        self._jobs: SimpleQueue[Callable[[], Outcome] | None] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def commit(self, batch: Batch) -> None:
        """Ends in Committed or Failed."""
        self._jobs.put(lambda: self._commit(batch))

    def tidy(self, cursors: dict[str, int], *, save: bool, retire: bool) -> None:
        """Ends in Tidied, or in Refused when the disk is nearly full."""
        self._jobs.put(lambda: self._tidy(cursors, save, retire))

    def recover(self) -> None:
        """Ends in Recovered or Refused."""
        self._jobs.put(self._recover)

    def close(self) -> None:
        """Finish all jobs, tell their outcomes, end the thread. On the event loop, or when it runs no more."""
        self._jobs.put(None)
        self._thread.join()
        self.drain()

    def drain(self) -> None:
        """Tell the outcomes there are."""
        while self._outcomes:
            self._deliver(self._outcomes.popleft())

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._outcomes.append(job())
            try:
                self._loop.call_soon_threadsafe(self.drain)
            except RuntimeError:  # the loop is closed: `close` tells what is left
                log.debug("the event loop ended before the journal was closed")

    def _commit(self, batch: Batch) -> Outcome:
        began = self._clock.monotonic()
        try:
            size = self._store.write(batch)
        except OSError as error:
            return Failed(error)
        except Exception as error:
            log.exception("records %d to %d could not be written", batch.first, batch.first + len(batch.data) - 1)
            return Failed(error)
        return Committed(self._store.last, len(batch.data), size, self._clock.monotonic() - began)

    def _tidy(self, cursors: dict[str, int], save: bool, retire: bool) -> Outcome:
        problem: OSError | None = None
        for wanted, step in ((save, lambda: self._store.save(cursors)), (retire, self._store.retire)):
            try:
                if wanted:
                    step()
            except OSError as error:  # retention may free the space that saving lacks, so it is tried all the same
                problem = error
        try:
            self._store.check_space()
        except OSError as error:
            return Refused(error)
        return Tidied(problem)

    def _recover(self) -> Outcome:
        try:
            self._store.recover()
        except OSError as error:
            return Refused(error)
        return Recovered()
