"""Telemetry embedded in the process (DuckDB). Decided here: which thread does what, so that the event loop never waits for a disk.

One thread writes, one reads. Columns are built on the event loop in slices, because Python code in a thread would only fight it
for the interpreter; DuckDB lets go of the interpreter while it works.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from chargenet.errors import StoreUnavailable
from chargenet.events import Fact
from chargenet.ports import Clock, EnergyHour, SeriesSamples, StateChange, TelemetryQuery
from chargenet.storage.embedded_batch import Batch
from chargenet.storage.embedded_file import EmbeddedLimits as EmbeddedLimits
from chargenet.storage.embedded_file import TelemetryFile
from chargenet.storage.ranges import checked
from chargenet.turns import FEW, Turns

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

RETENTION_EVERY_S = 3600.0


class EmbeddedTelemetry:
    """Implements `chargenet.ports.Telemetry` in `<folder>/telemetry.duckdb`. One process may have it open for writing.

    `read_only` is for looking into a folder whose platform does not run.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        *,
        limits: EmbeddedLimits = EmbeddedLimits(),  # noqa: B008 - frozen
        read_only: bool = False,
        name: str = "telemetry",
    ) -> None:
        self.name = name
        self._clock, self._limits = clock, limits
        self._file = TelemetryFile(folder, limits, read_only=read_only)
        self._writer = ThreadPoolExecutor(1, "telemetry-writer")
        self._reader = ThreadPoolExecutor(1, "telemetry-reader")
        self._writing, self._reading = asyncio.Lock(), asyncio.Lock()
        self._waiting = 0
        self._swept_at: float | None = None
        self.written = 0

    @property
    def rejected(self) -> int:
        """Values left out because their charge point has too many series."""
        return self._file.numbers.refused

    @property
    def expired(self) -> int:
        """None: what is too old goes by when it arrived, at the next sweep."""
        return 0

    async def write(self, facts: Sequence[Fact], upto: int) -> None:
        async with self._writing:
            position = await self._write(self._open)
            if upto <= position:
                return
            fresh = [fact for fact in facts if fact.sequence > position]
            batch = Batch(self._file.numbers, upto)
            turns = Turns()
            for start in range(0, len(fresh), FEW):
                batch.add(fresh[start : start + FEW])
                await turns.rest()
            try:
                await self._write(lambda: self._file.write(batch))
                self.written += batch.rows
            finally:
                await self._heal()
            await self._sweep()

    async def position(self) -> int:
        return await self._write(self._open)

    async def reset(self) -> None:
        async with self._writing:
            await self._write(self._open)
            await self._write(self._file.reset)

    async def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        checked(query)
        return await self._read(lambda: self._file.query(query))

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        return await self._read(lambda: self._file.states(charge_point, start, end, kind, limit))

    async def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str] = ()) -> list[EnergyHour]:
        return await self._read(lambda: self._file.hourly_energy(start, end, charge_points))

    async def close(self) -> None:
        async with self._writing, self._reading:
            await self._write(self._file.close)
        self._writer.shutdown(wait=False)
        self._reader.shutdown(wait=False)

    def _open(self) -> int:
        self._file.open()
        return self._file.position

    async def _write(self, work: Callable[[], Answer]) -> Answer:
        """On the writer's thread. If the caller is cancelled the work still ends, and later work on this thread sees its result."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def _read(self, work: Callable[[], Answer]) -> Answer:
        """On the reader's thread, one at a time, interrupted when it takes too long or its caller goes away."""
        if self._waiting >= self._limits.waiting_queries:
            raise StoreUnavailable("telemetry", f"{self._waiting} queries are waiting already")
        self._waiting += 1
        try:
            await self._write(self._open)
            async with self._reading:
                return await self._read_now(work)
        finally:
            self._waiting -= 1

    async def _read_now(self, work: Callable[[], Answer]) -> Answer:
        reading = asyncio.get_running_loop().run_in_executor(self._reader, work)
        try:
            async with asyncio.timeout(self._limits.query_timeout_s):
                return await asyncio.shield(reading)
        except TimeoutError as error:
            raise StoreUnavailable("telemetry", f"the query took longer than {self._limits.query_timeout_s:g} s") from error
        finally:
            if not reading.done():
                self._file.interrupt()
                await asyncio.wait([reading])
                reading.exception()

    async def _heal(self) -> None:
        """Close a file that DuckDB gave up, once nobody reads it; the next call opens it again."""
        if self._file.broken:
            async with self._reading:
                await self._write(self._file.close)

    async def _sweep(self) -> None:
        """Retention, once an hour. A failure leaves old rows for the next time and never fails the write before it."""
        now = self._clock.monotonic()
        if self._swept_at is not None and now - self._swept_at < RETENTION_EVERY_S:
            return
        self._swept_at = now
        try:
            deleted = await self._write(lambda: self._file.forget(self._clock.now()))
        except StoreUnavailable as error:
            log.warning("telemetry: retention failed and will be tried again: %s", error)
            return
        if deleted:
            log.info("telemetry: %d rows were older than %s days", deleted, self._limits.retention_days)
