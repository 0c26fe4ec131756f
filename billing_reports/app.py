"""The billing program: its parts joined. Decided here: which adapters there are, how often it looks, and that it waits, saying so,
while a store is unavailable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from billing_reports.desk import BillingDesk
from billing_reports.frames import Frames, Interpret
from billing_reports.house import House
from billing_reports.judge import Judge, Rules
from billing_reports.loop import Loop
from billing_reports.metrics import BillingMetrics
from billing_reports.runner import Runner, scheduled_id
from billing_reports.runs import RunState
from billing_reports.schedule import due_month
from billing_reports.storage.opened import sql_billing
from billing_reports.storage.tables import CURSOR
from chargenet.errors import Conflict, Unavailable
from chargenet.ports import Clock, Feed, Journal
from chargenet.storage.relational_engine import Database
from chargenet.stores import Stores

log = logging.getLogger(__name__)

TICK_S = 1.0
PAUSE_S = 10.0
"""After a store did not answer."""
SCHEDULE_S = 60.0
"""How often it is asked whether a month is due."""
COUNT_S = 30.0
"""How often sessions and statements are counted for the metrics."""


class BillingProgram:
    """Implements `chargenet.ports.Program`."""

    name = "billing"

    def __init__(
        self,
        database: Database,
        stores: Stores,
        journal: Journal,
        feed: Feed,
        interpret: Interpret,
        clock: Clock,
        site_of: Callable[[str], str],
        house: House,
        rules: Rules,
    ) -> None:
        self._journal, self._feed, self._clock, self._house = journal, feed, clock, house
        frames = Frames(journal, interpret)
        kept = sql_billing(database)
        judge = Judge(kept, stores, frames, site_of, rules)
        self._loop = Loop(kept.ledger, judge, stores, feed, clock)
        self._runner = Runner(kept, stores.sites, clock, house, database=database)
        self.desk = BillingDesk(kept, self._loop, self._runner, frames, clock, house, rules)
        self._problem: str | None = None
        self.metrics = BillingMetrics(self.lag, lambda: self._problem is None)

    def lag(self) -> int:
        """Records that are not billed yet."""
        return max(0, self._feed.head - self._loop.position)

    @property
    def health(self) -> tuple[bool, str]:
        """Whether it goes on, and a sentence."""
        return self._problem is None, self._problem or f"{self.lag()} records behind"

    async def run(self) -> None:
        """Bill until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._bill(), name="billing: CDRs")
            tasks.create_task(self._state(), name="billing: statements")
            tasks.create_task(self._count(), name="billing: counts")

    async def _bill(self) -> None:
        while True:
            wait_s = await self._round()
            await asyncio.sleep(wait_s)

    async def _round(self) -> float:
        """One tick; how long to wait then."""
        try:
            await self._loop.tick()
            self._journal.set_cursor(CURSOR, await self._loop.released())
        except (Unavailable, Conflict) as problem:
            self._problem = str(problem)
            log.warning("billing waits: %s", problem)
            return PAUSE_S
        self._problem = None
        return TICK_S

    async def _state(self) -> None:
        """Work on runs: those that were killed, those that people begin, those that are due."""
        while True:
            try:
                await self._begin_due()
                for run in reversed(await self.desk.statements.runs(state=RunState.RUNNING)):
                    done = await self._runner.work(run)
                    log.info("billing run %s is %s: %d customers, %d drafts", done.run_id, done.state, done.done, done.drafts)
            except Unavailable as problem:
                log.warning("statements wait: %s", problem)
            self.desk.begun.clear()
            try:
                async with asyncio.timeout(SCHEDULE_S):
                    await self.desk.begun.wait()
            except TimeoutError:
                continue

    async def _begin_due(self) -> None:
        house = self._house
        if house.runs == "manual":
            return
        for zone, month in await self._runner.due(lambda zone: due_month(self._clock.now(), zone, house.run_day, house.run_hour)):
            try:
                await self._runner.begin(
                    month, time_zone=zone, finalize=house.runs == "final", unfinished_month=False, who="by itself",
                    run_id=scheduled_id(month, zone),
                )  # fmt: skip
            except Conflict as problem:
                log.warning("the month %s is not billed by itself: %s", month.strftime("%Y-%m"), problem)

    async def _count(self) -> None:
        while True:
            try:
                states, reasons = await self.desk.ledger.counts()
                self.metrics.counted(states, reasons, await self.desk.statements.counts())
            except Unavailable as problem:
                log.warning("billing is not counted: %s", problem)
            await asyncio.sleep(COUNT_S)
