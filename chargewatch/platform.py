"""The running platform: what the API sees of it (`chargewatch.api.platform.Platform`), and how its parts are joined.

Decided here: what is healthy, and which projections run. Starting and stopping is app.py's.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from billing_reports.rollup_projection import RollupProjection
from chargenet.errors import JournalUnavailable
from chargenet.journal.journal import SegmentJournal
from chargenet.model.record import Record
from chargenet.model.words import RecordKind
from chargenet.observe import names
from chargenet.observe.exposition import Exposition
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.logs import count_suppressed
from chargenet.observe.looplag import LoopLag
from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock, HourSink, Notices, Projection, States, Telemetry
from chargenet.settings import Address, Settings
from chargewatch import layout
from chargewatch.apart.beats import Beats
from chargewatch.api.platform import HealthCheck, ReceivedUpload
from chargewatch.last_frames import LastFrames
from chargewatch.local_key import LocalKeyRing
from chargewatch.opening import Opened
from chargewatch.programs import ALERTS, ALL, BILLING, STORE_WINDOW_S, Hosting
from chargewatch.rebuilding import durable_projections
from chargewatch.upkeep import end_old_connections
from collector.app import Collector
from collector.credentials import hash_chosen, hash_generated
from collector.feed import JournalFeed
from collector.gateway import Gateway
from collector.interpret import interpret
from collector.projections.fleet import FleetProjection
from collector.projector import Projector
from collector.recorder import Recorder

if TYPE_CHECKING:
    from chargewatch.apart.line import Line

LOW_DISK = 0.05
SLOW_LOOP_S = 1.0
SQL_CHECK_S = 2.0
"""A health check is waited for by somebody; the stores themselves are more patient."""
LIVE_WINDOW_S = 0.05
"""How long facts are gathered for metrics."""


class RunningPlatform(Hosting):
    """The collector, and the programs that do not run apart. Make it on the event loop that will run it.

    Implements `chargewatch.api.platform.Platform`.
    """

    journal: SegmentJournal

    def __init__(self, settings: Settings, clock: Clock, opened: Opened, version: str, seen: int) -> None:
        """`seen`: the sequence that the stores have seen, where the fleet's metrics go on."""
        self.settings, self.clock, self.opened = settings, clock, opened
        self.alert_speed = settings.alerts.network_speed
        self.journal, self.stores = opened.journal, opened.stores
        self.keys = LocalKeyRing(opened.keys, clock.now())
        self.platform_metrics = PlatformMetrics(version)
        self.fleet = FleetMetrics(self.site_of)
        self.last_frames = LastFrames(self.fleet)
        self.exposition = Exposition(self.fleet, self.platform_metrics, clock)
        self.loop_lag = LoopLag(clock, self.platform_metrics.loop_lagged)
        self.feed = JournalFeed(opened.journal, interpret)
        self.recorder = Recorder(opened.journal, self.feed, self.platform_metrics, clock.monotonic)
        self.collector = Collector(
            settings, clock, opened.journal, self.recorder, opened.ledger, opened.directory, opened.tokens,
            self.platform_metrics, layout.pepper_file(settings), self._heartbeat,
        )  # fmt: skip
        self.gateway = Gateway(self.collector.registry)
        self.fleet_projection = FleetProjection(self.fleet, seen)
        self.web_address: Address | None = None
        now_us = clock.now_us()
        self.beats, self.registrations = Beats(now_us), now_us
        self.lines, notices = self._reach(settings)
        self.host(ALL - self.lines.keys(), notices)
        self.projectors = [self._projector(each) for each in durable_projections(opened) if each.name != RollupProjection.name]
        if BILLING in self.here:
            self.projectors.append(self.rollup_projector)
        self.projectors.append(self._projector(self.fleet_projection))
        self.closing = False
        self._began_after = opened.journal.durable_sequence
        self._watch()
        count_suppressed(self.platform_metrics.log_suppressed)

    # -- parts

    @staticmethod
    def _reach(settings: Settings) -> tuple[dict[str, Line], Notices | None]:
        """The lines to programs apart, and the relay where it is one of them."""
        if not settings.programs.apart:
            return {}, None
        from chargewatch.apart.line import lines_of  # with an HTTP client, which takes its time to import: only where it is used
        from chargewatch.apart.ports import FarNotices

        lines = lines_of(settings)
        return lines, FarNotices(lines[ALERTS]) if ALERTS in lines else None

    def _projector(self, projection: Projection) -> Projector:
        window_s = LIVE_WINDOW_S if projection is self.fleet_projection else STORE_WINDOW_S
        return Projector(projection, self.feed, self.journal, self.clock, window_s=window_s)

    def site_of(self, charge_point_id: str) -> str:
        """Site id of a charge point, "" where none is known."""
        entry = self.opened.directory.find(charge_point_id)
        return (entry.site_id or "") if entry else ""

    def _heartbeat(self, charge_point_id: str, at: float) -> None:
        """It leaves no record: whoever judges silence or jitter hears of it here only."""
        self.fleet.touch(charge_point_id, at)
        if ALERTS in self.here:
            self.alerts.heartbeat(charge_point_id, datetime.fromtimestamp(at, UTC))
        else:
            self.beats.add(charge_point_id, at)

    @property
    def telemetry(self) -> Telemetry:
        """The store that answers queries."""
        return self.opened.telemetry[0]

    @property
    def states(self) -> States:
        """What rollouts ask of the telemetry."""
        return self.telemetry

    @property
    def hour_sinks(self) -> Sequence[HourSink]:
        """The telemetry stores that boards read."""
        return [each for each in self.opened.telemetry if isinstance(each, HourSink)]

    @property
    def upload_base(self) -> str:
        """The URL that charge points reach us by."""
        return self.settings.http.upload_base(self.web_address)

    async def end_old_connections(self) -> None:
        """Connections of a collector that was killed are recorded as lost."""
        [stations] = [each for each in self.projectors if each.projection.name == "stations"]
        await end_old_connections(stations, self.stores.stations, self.recorder, self.clock, self._began_after)

    # -- what the API asks

    def last_heard(self, charge_point_id: str) -> datetime | None:
        """See `api.platform.Platform`."""
        return self.last_frames.get(charge_point_id)

    async def metrics(self) -> bytes:
        """The whole Prometheus exposition."""
        return await self.exposition.body()

    async def health(self, *, critical_only: bool = False) -> Sequence[HealthCheck]:
        """Every check, now."""
        checks = [self._journal_health()]
        if critical_only:
            return checks
        checks += [await self._sql_health(), *(self._projection_health(each) for each in self.projectors)]
        checks += self.program_checks()
        checks += await asyncio.gather(*(line.health() for line in self.lines.values()))
        usage = await asyncio.to_thread(shutil.disk_usage, self.settings.data_dir)
        free = usage.free / usage.total
        enough = free > LOW_DISK and usage.free > self.settings.journal.free_space_floor_bytes
        checks.append(HealthCheck(name="disk", ok=enough, detail=f"{usage.free >> 20} MiB free ({free:.0%})"))
        worst = self.loop_lag.worst()
        checks.append(
            HealthCheck(name="loop", ok=worst < SLOW_LOOP_S, detail=f"worst lag in the last minute {worst * 1000:.0f} ms")
        )
        return checks

    def _journal_health(self) -> HealthCheck:
        problem = self.journal.problem
        healthy = self.journal.healthy
        waiting = f", {pending} records waiting" if (pending := self.journal.pending) else ""
        detail = f"durable up to {self.journal.durable_sequence}{waiting}" if healthy else problem or "cannot write"
        return HealthCheck(name="journal", ok=healthy, critical=True, detail=detail)

    async def _sql_health(self) -> HealthCheck:
        try:
            async with asyncio.timeout(SQL_CHECK_S):
                await self.stores.check()
        except TimeoutError:
            return HealthCheck(name="sql", ok=False, detail=f"no answer within {SQL_CHECK_S:g} s")
        # Whatever keeps a check from being made is what the check must say.
        except Exception as error:  # noqa: BLE001
            return HealthCheck(name="sql", ok=False, detail=str(error))
        return HealthCheck(name="sql", ok=True, detail="answers")

    def _projection_health(self, projector: Projector) -> HealthCheck:
        detail = projector.problem or f"{projector.lag()} records behind"
        return HealthCheck(name=f"projection {projector.projection.name}", ok=projector.problem is None, detail=detail)

    async def hash_password(self, password: str, *, generated: bool) -> str:
        """How a charge point's password is stored."""
        if generated:
            return hash_generated(password, self.collector.pepper)
        return await asyncio.to_thread(hash_chosen, password)

    async def registration_changed(self, charge_point_id: str) -> None:
        """A registration, its site or its password changed."""
        await self.opened.directory.refresh()
        self.registrations += 1
        self.collector.verifier.forget()
        self.fleet.place(charge_point_id)
        self.collector.block(charge_point_id)

    async def tokens_changed(self) -> None:
        """The token table changed."""
        await self.opened.tokens.refresh()

    async def record_upload(self, upload: ReceivedUpload) -> int:
        """Journal an UPLOAD record; its sequence once it is durable."""
        note = {
            "file_id": upload.file_id, "name": upload.name, "size": upload.size_bytes, "sha256": upload.sha256,
            "request_id": upload.request_id,
        }  # fmt: skip
        frame, now_us = msgspec.json.encode(note), self.clock.now_us()
        record = Record(0, now_us, upload.charge_point_id, 0, "", RecordKind.UPLOAD, frame)
        waiter = _Durable(asyncio.get_running_loop().create_future())
        sequence = self.recorder.record(
            received_at_us=now_us, charge_point_id=upload.charge_point_id, generation=0, protocol="", kind=RecordKind.UPLOAD,
            frame=frame, action="Upload", events=interpret(record).events, waiter=waiter, began=self.clock.monotonic(),
        )  # fmt: skip
        await waiter.done
        return sequence

    # -- what is measured

    def _watch(self) -> None:
        watch, journal = self.platform_metrics.watch, self.journal
        journal.on_commit = lambda records, size, seconds: self.platform_metrics.journal_committed(records, seconds)
        watch(names.JOURNAL_SEQUENCE, lambda: journal.durable_sequence)
        watch(names.JOURNAL_PENDING, lambda: journal.pending)
        watch(names.JOURNAL_BYTES, lambda: journal.size_bytes)
        watch(names.JOURNAL_HEALTHY, lambda: journal.healthy)
        watch(names.DISK_FREE, lambda: shutil.disk_usage(self.settings.data_dir).free)
        watch(names.DISK_SIZE, lambda: shutil.disk_usage(self.settings.data_dir).total)
        watch(names.LOOP_LAG_MAX, self.loop_lag.worst)
        for store in self.opened.telemetry:
            watch(names.TELEMETRY_WRITTEN, lambda store=store: store.written, store.name)  # type: ignore[misc]
            watch(names.TELEMETRY_REJECTED, lambda store=store: store.rejected, store.name)  # type: ignore[misc]
            watch(names.TELEMETRY_EXPIRED, lambda store=store: store.expired, store.name)  # type: ignore[misc]
        for projector in self.projectors:
            watch(names.PROJECTION_BEHIND, projector.lag, projector.projection.name)
            watch(names.PROJECTION_LAG, projector.lag_s, projector.projection.name)


class _Durable:
    """Waits for one record."""

    def __init__(self, done: asyncio.Future[None]) -> None:
        self.done = done

    def on_durable(self, reply: bytes) -> None:
        """It is on disk."""
        if not self.done.done():
            self.done.set_result(None)

    def on_lost(self) -> None:
        """It could not be made durable."""
        if not self.done.done():
            self.done.set_exception(JournalUnavailable("the record could not be made durable"))
