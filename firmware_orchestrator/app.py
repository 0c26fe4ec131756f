"""The firmware program: its parts joined. Decided here: which adapters there are, how often it looks, and that it waits, and says
so, while a store is unavailable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from chargenet.errors import Conflict, Unavailable
from chargenet.model.standstill import BEAT_S, Standstills
from chargenet.ports import Clock, CommandGateway, Feed, Journal, Notices, States
from chargenet.storage.relational_engine import Database
from chargenet.stores import Stores
from firmware_orchestrator import tidings
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.census import Census
from firmware_orchestrator.course import Course
from firmware_orchestrator.courses import course_of
from firmware_orchestrator.desk import RolloutDesk
from firmware_orchestrator.executor import Executor
from firmware_orchestrator.intake import StoredFleet
from firmware_orchestrator.loop import Loop
from firmware_orchestrator.metrics import RolloutMetrics
from firmware_orchestrator.rows import Change, Rollout
from firmware_orchestrator.shelf import Damage, FirmwareShelf
from firmware_orchestrator.storage.rollout_sql import SqlRollouts
from firmware_orchestrator.storage.rollout_tables import CURSOR

log = logging.getLogger(__name__)

TICK_S = 2.0
PAUSE_S = 10.0
"""After a store did not answer."""


class FirmwareProgram:
    """Implements `chargenet.ports.Program`."""

    name = "firmware"

    def __init__(
        self,
        database: Database,
        stores: Stores,
        telemetry: States,
        journal: Journal,
        feed: Feed,
        gateway: CommandGateway,
        shelf: FirmwareShelf,
        notices: Notices,
        clock: Clock,
        *,
        nowhere: Callable[[], str],
    ) -> None:
        self.shelf = shelf
        self._journal, self._store, self._clock, self._position = journal, SqlRollouts(database), clock, 0
        self.metrics = RolloutMetrics(lambda: max(0, feed.head - self._position), lambda: shelf.damaged)
        shelf.on_damage = self._damaged
        executor = Executor(self._store, gateway, shelf, clock)
        fleet = Census(stores, telemetry, clock)
        self.desk = RolloutDesk(self._store, shelf, fleet, executor, clock, nowhere=nowhere)
        self._standstills = Standstills()
        self._loop = Loop(
            self._store, feed, StoredFleet(stores), executor, notices, clock, self._course, self.metrics.seen, self._standstills
        )

    async def _damaged(self, artifact: Artifact, damage: Damage, mended_at: datetime | None) -> None:
        """People hear of it from the next tick on: kept here, so that it is told even when the relay waits."""
        if mended_at is None:
            log.error("firmware %s is served to nobody: %s; add the file again", artifact.artifact_id, damage.problem)
        notice = tidings.damaged(artifact, damage.problem, damage.found_at, mended_at)
        try:
            await self._store.change(Change(notices=(notice,)))
        except Unavailable as problem:
            log.warning("nobody is told of the firmware file %s: %s", artifact.artifact_id, problem)

    async def _course(self, rollout: Rollout) -> Course:
        return course_of(rollout, await self.shelf.artifact(rollout.artifact_id))

    async def run(self) -> None:
        """Tick until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat(), name="rollouts beat")
            tasks.create_task(self._tick_forever(), name="rollouts tick")

    async def _beat(self) -> None:
        while True:
            self._standstills.beat(self._clock.now(), self._clock.monotonic())
            await asyncio.sleep(BEAT_S)

    async def _tick_forever(self) -> None:
        while True:
            wait_s = await self._round()
            await asyncio.sleep(wait_s)

    async def _round(self) -> float:
        """One tick; how long to wait then."""
        began = self._clock.monotonic()
        try:
            self._position = await self._loop.tick()
            self._journal.set_cursor(CURSOR, self._position)
        except Conflict as conflict:
            log.info("rollouts: %s; the next round sees it", conflict)
        except Unavailable as problem:
            log.warning("rollouts wait: %s", problem)
            self.metrics.working = False
            return PAUSE_S
        self.metrics.working, self.metrics.tick_s = True, self._clock.monotonic() - began
        return TICK_S
