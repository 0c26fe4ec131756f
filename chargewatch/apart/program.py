"""A program in a process of its own: what it stands on when the collector is elsewhere. Implements as much of
`chargewatch.api.platform.Platform` as its own routes ask; everything else is asked of the collector by whoever calls.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Sequence
from datetime import datetime

from chargenet.errors import StoreUnavailable
from chargenet.observe import names
from chargenet.observe.logs import count_suppressed
from chargenet.observe.looplag import LoopLag
from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock, HourSink, States
from chargenet.settings import Settings
from chargenet.storage.caches import CachedDirectory
from chargenet.storage.influx import InfluxTarget, InfluxTelemetry
from chargenet.storage.key_ring import StoredKeyRing
from chargenet.storage.relational import SqlStores
from chargenet.storage.relational_alone import Alone
from chargewatch.apart.follower import Follower
from chargewatch.apart.journal import FarJournal, PatientJournal
from chargewatch.apart.line import Line
from chargewatch.apart.ports import FarGateway, FarNotices, FarStates
from chargewatch.api.platform import HealthCheck
from chargewatch.programs import ALERTS, BILLING, Hosting
from chargewatch.upkeep import refresh_keys
from collector.feed import JournalFeed
from collector.interpret import interpret

log = logging.getLogger(__name__)

COLLECTOR = "collector"
WAIT_S = 2.0
SQL_CHECK_S = 2.0
"""Shorter than whoever asks for this process's health waits."""


class ProgramProcess(Hosting):
    """One program. Make it on the event loop that will run it, then `open` it."""

    def __init__(self, settings: Settings, clock: Clock, stores: SqlStores, program: str, version: str) -> None:
        self.settings, self.clock, self.stores, self.program = settings, clock, stores, program
        self.alert_speed = settings.alerts.network_speed
        self.platform_metrics = PlatformMetrics(version, names.PROGRAM_PROCESS)
        self.loop_lag = LoopLag(clock, self.platform_metrics.loop_lagged)
        self.directory, self.keys = CachedDirectory(stores.registrations), StoredKeyRing(stores.keys)
        self.last_frames: dict[str, datetime] = {}
        self._alone = Alone(stores.database, program)
        self.closing, self._ending = False, threading.Event()
        self.waiting = False
        """Another process is this program."""
        chosen = settings.programs
        self.line = Line(COLLECTOR, chosen.collector_url, chosen.token, chosen.timeout_s)
        self.journal: FarJournal = FarJournal(self.line)
        self.gateway = FarGateway(self.line)
        self._states, self._hours = FarStates(self.line), _hours_of(settings, clock) if program == BILLING else []
        on_beat = self._beat if program == ALERTS else None
        self.follower = Follower(self.line, self.journal, interpret, self.directory.refresh, on_beat)
        relay = chosen.apart.get(ALERTS)
        self._relay_line = self.line if relay is None else Line(ALERTS, relay, chosen.token, chosen.timeout_s)
        count_suppressed(self.platform_metrics.log_suppressed)

    async def open(self) -> None:
        """Wait until no other process is this program, and for the collector; then make it: it begins where its journal stands."""
        while not await self._alone.taken():
            if not self.waiting:
                log.warning("another process is the %s program of this database: waiting for it to end", self.program)
            self.waiting = True
            await asyncio.sleep(WAIT_S)
        await self.directory.refresh()
        await self.keys.refresh()
        head = await self.follower.first_contact()
        patient = PatientJournal(self.line, self._ending)
        patient.saw(self.journal.first_sequence, head)
        self.feed = JournalFeed(patient, interpret)
        self.host({self.program}, None if self.program == ALERTS else FarNotices(self._relay_line))
        self._watch()

    async def run(self) -> None:
        """Everything here, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.follower.run(self.feed), name="follower")
            tasks.create_task(self.loop_lag.run(), name="loop lag")
            tasks.create_task(self._alone.keep(), name="alone")
            tasks.create_task(refresh_keys(self.keys), name="keys")
            for each in self.programs:
                tasks.create_task(each.run(), name=each.name)
            if BILLING in self.here:
                tasks.create_task(self.rollup_projector.run(), name="projection rollups")

    async def close(self) -> None:
        """Let go of everything."""
        self._ending.set()
        for sink in self._hours:
            await sink.close()
        await self._alone.close()
        await self._relay_line.close()
        await self.line.close()
        await self.stores.close()

    def _beat(self, charge_point_id: str, at: datetime) -> None:
        self.last_frames[charge_point_id] = at
        self.alerts.heartbeat(charge_point_id, at)

    @property
    def states(self) -> States:
        """What rollouts ask of the telemetry."""
        return self._states

    @property
    def hour_sinks(self) -> Sequence[HourSink]:
        """Where hours of connectors go for boards."""
        return self._hours

    @property
    def upload_base(self) -> str:
        """The URL that charge points reach the collector by: this process is behind it."""
        return self.settings.http.upload_base()

    def site_of(self, charge_point_id: str) -> str:
        """Site id of a charge point, "" where none is known."""
        entry = self.directory.find(charge_point_id)
        return (entry.site_id or "") if entry else ""

    def listening(self) -> bool:
        """Not while nothing is heard of the collector: then nobody's silence means anything."""
        return self.follower.problem is None

    async def metrics(self) -> bytes:
        """What this process measures; of charge points and their connections the collector tells."""
        return self.platform_metrics.text()

    async def health(self, *, critical_only: bool = False) -> Sequence[HealthCheck]:
        """Every check, now. None is critical: this process acknowledges nothing."""
        if critical_only:
            return []
        follower = self.follower
        well = follower.problem is None
        detail = f"{follower.lag()} records not fetched yet" if well else str(follower.problem)
        return [HealthCheck(name=COLLECTOR, ok=well, detail=detail), await self._sql(), *self.program_checks()]

    async def _sql(self) -> HealthCheck:
        try:
            async with asyncio.timeout(SQL_CHECK_S):
                await self.stores.check()
        except TimeoutError:
            return HealthCheck(name="sql", ok=False, detail=f"no answer within {SQL_CHECK_S:g} s")
        except StoreUnavailable as error:
            return HealthCheck(name="sql", ok=False, detail=error.problem)
        return HealthCheck(name="sql", ok=True, detail="answers")

    def _watch(self) -> None:
        watch = self.platform_metrics.watch
        watch(names.LOOP_LAG_MAX, self.loop_lag.worst)
        watch(names.PROGRAM_BEHIND, self.follower.lag, self.program)
        watch(names.PROGRAM_REACHES, lambda: self.follower.problem is None, self.program)
        if BILLING in self.here:
            rollups = self.rollup_projector
            watch(names.PROJECTION_BEHIND, rollups.lag, rollups.projection.name)
            watch(names.PROJECTION_LAG, rollups.lag_s, rollups.projection.name)


def _hours_of(settings: Settings, clock: Clock) -> list[InfluxTelemetry]:
    """The InfluxDB that boards read hours of; its files are apart from those of the collector's telemetry."""
    chosen = settings.influx
    if chosen.url is None:
        return []
    token = chosen.token.reveal() if chosen.token else ""
    target = InfluxTarget(url=chosen.url, bucket=chosen.bucket, org=chosen.org, token=token, read_timeout_s=chosen.timeout_s)
    return [InfluxTelemetry(target, settings.data_dir, clock, random.random, name="hours-influx")]
