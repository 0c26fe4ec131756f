"""Telemetry in InfluxDB. Decided here: batches, retries, and what survives which failure. Schema and texts are in lineprotocol.py.

Points are idempotent (series and time are their identity), so facts may be written twice: the position is a small local file that
is replaced after the server took everything before it. While the server is away `write` raises StoreUnavailable and the caller's
cursor waits in the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from chargenet.errors import StoreUnavailable
from chargenet.events import Fact
from chargenet.ports import Clock, ConnectorHour, EnergyHour, SeriesSamples, StateChange, TelemetryQuery
from chargenet.storage.daemon_thread import DaemonThread
from chargenet.storage.hours import CONNECTOR_HOUR, hour_line
from chargenet.storage.influx_files import PositionFile, RejectedPoints
from chargenet.storage.influx_http import Busy, ContentRefused, InfluxHttp, too_old
from chargenet.storage.influx_http import InfluxTarget as InfluxTarget
from chargenet.storage.influx_read import InfluxReader
from chargenet.storage.isolation import Rejected, write_good
from chargenet.storage.lineprotocol import METER, STATE_KINDS, Liner, SiteOf
from chargenet.storage.ranges import checked

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

BATCH_LINES = 5000
"""Lines of one request: about 700 KB of text, a tenth of it on the wire."""

SLICE = 200
"""Facts that become lines before the event loop may turn."""

ATTEMPTS = 3
"""Tries of one batch before the caller is told; the caller goes on with its own, longer back-off."""

FIRST_DELAY_S, LONGEST_DELAY_S = 0.2, 30.0

WAITING_QUERIES = 64

CLOSE_S = 1.0
"""How long a running request may take when the program ends. What it wrote will be written again, which changes nothing."""


def delay_s(attempt: int, jitter: float, retry_after_s: float | None = None) -> float:
    """Seconds before retry `attempt` (from 1): doubling, times 0.5 to 1 by `jitter` in [0, 1), or what the server asked for."""
    if retry_after_s is not None:
        return min(LONGEST_DELAY_S, retry_after_s * (1 + jitter / 10))
    return float(min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** (attempt - 1)) * (0.5 + jitter / 2))


class InfluxTelemetry:
    """Implements `chargenet.ports.Telemetry` over one bucket, which is chargewatch's alone (`reset` drops its measurements).

    `folder` holds `<name>.position` and `<name>.rejected.jsonl`. `jitter` gives numbers in [0, 1).
    """

    def __init__(
        self,
        target: InfluxTarget,
        folder: Path,
        clock: Clock,
        jitter: Callable[[], float],
        *,
        name: str = "telemetry-influx",
        site_of: SiteOf | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.written = self.rejected = self.expired = 0
        """Points since the start: taken; refused, of which the last are in the file; older than the bucket keeps."""
        self._clock, self._jitter, self._sleep = clock, jitter, sleep
        self._http = InfluxHttp(target)
        self._liner = Liner(site_of)
        self._position_file = PositionFile(folder / f"{name}.position")
        self._rejected_file = RejectedPoints(folder / f"{name}.rejected.jsonl")
        self._position: int | None = None
        self._writing = asyncio.Lock()
        self._write_thread = DaemonThread("influx-writer")
        self._read_thread = DaemonThread("influx-reader")
        self._waiting = 0

    async def write(self, facts: Sequence[Fact], upto: int) -> None:
        async with self._writing:
            position = await self._known_position()
            if upto <= position:
                return
            lines: list[str] = []
            for start in range(0, len(facts), SLICE):
                for fact in facts[start : start + SLICE]:
                    if fact.sequence > position:
                        lines.extend(self._liner.lines(fact))
                await asyncio.sleep(0)
            rejected: list[Rejected] = []
            for start in range(0, len(lines), BATCH_LINES):
                rejected += await self._write_batch(lines[start : start + BATCH_LINES])
            await self._finish(rejected, upto)

    async def write_hours(self, hours: Sequence[ConnectorHour]) -> None:
        """Implements `chargenet.ports.HourSink`."""
        async with self._writing:
            rejected: list[Rejected] = []
            for start in range(0, len(hours), BATCH_LINES):
                rejected += await self._write_batch([hour_line(each) for each in hours[start : start + BATCH_LINES]])
            await self._set_aside(rejected)

    async def position(self) -> int:
        async with self._writing:
            return await self._known_position()

    async def reset(self) -> None:
        async with self._writing:
            await self._on_writer(self._drop_all)
            self._position = 0

    async def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        checked(query)
        return await self._read(lambda reader: reader.query(query))

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        return await self._read(lambda reader: reader.states(charge_point, start, end, kind, limit))

    async def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str] = ()) -> list[EnergyHour]:
        return await self._read(lambda reader: reader.hourly_energy(start, end, charge_points))

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_S), self._writing:
                await self._on_writer(self._http.close)
        except TimeoutError:
            log.info("InfluxDB did not answer in time before the end")
        self._write_thread.shutdown(wait=False)
        self._read_thread.shutdown(wait=False)

    async def _known_position(self) -> int:
        if self._position is None:
            self._position = await self._on_writer(self._position_file.read)
        return self._position

    async def _write_batch(self, lines: Sequence[str]) -> list[Rejected]:
        attempt = 0
        while True:
            try:
                rejected, expired = await self._on_writer(lambda: self._write_now(lines))
                self._note_expired(expired)
                self.written += len(lines) - len(rejected) - expired
                return rejected
            except Busy as error:
                attempt += 1
                if attempt == ATTEMPTS:
                    raise
                await self._sleep(delay_s(attempt, self._jitter(), error.retry_after_s))

    def _write_now(self, lines: Sequence[str]) -> tuple[list[Rejected], int]:
        """The refused points, and how many of the others are older than the bucket keeps: no fault of theirs, and all are lost."""
        expired = 0

        def send(part: Sequence[str]) -> str | None:
            nonlocal expired
            try:
                self._http.write("\n".join(part))
            except ContentRefused as error:
                dropped = too_old(error.problem)
                expired += dropped
                return None if dropped else error.problem
            return None

        return write_good(lines, send), expired

    def _note_expired(self, count: int) -> None:
        if count and not self.expired:
            log.warning("InfluxDB keeps no points as old as some of those that are written now; they are passed over")
        self.expired += count

    def _drop_all(self) -> None:
        for measurement in (METER, *STATE_KINDS, CONNECTOR_HOUR):
            InfluxReader(self._http.query).drop(measurement)
        self._position_file.write(0)

    async def _finish(self, rejected: Sequence[Rejected], upto: int) -> None:
        await self._set_aside(rejected)
        await self._on_writer(lambda: self._position_file.write(upto))
        self._position = upto

    async def _set_aside(self, rejected: Sequence[Rejected]) -> None:
        if rejected:
            await self._on_writer(lambda: self._rejected_file.add(rejected, self._clock.now()))
            self.rejected += len(rejected)
            log.warning("InfluxDB refused %d points; the last for: %s", len(rejected), rejected[-1].reason[:200])

    async def _on_writer(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, work)

    async def _read(self, work: Callable[[InfluxReader], Answer]) -> Answer:
        """On the reader's thread, in order. A caller that goes away leaves no more than one page to be read for it."""
        if self._waiting >= WAITING_QUERIES:
            raise StoreUnavailable("InfluxDB", f"{self._waiting} queries are waiting already")
        abandoned = Event()

        def ask(question: str) -> Mapping[str, Any]:
            if abandoned.is_set():
                raise StoreUnavailable("InfluxDB", "nobody waits for the answer any more")
            return self._http.query(question)

        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._read_thread, work, InfluxReader(ask))
        finally:
            abandoned.set()
            self._waiting -= 1
