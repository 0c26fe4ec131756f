"""Works through a billing run, page by page. Decided here: what a step stores together, so that a killed run goes on unharmed.

A step makes the drafts of one page of customers and stores them with the run's progress; with `finalize` a second transaction
numbers them. Killed between the two, the page is made again: final statements are left alone, the rest is numbered without a gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import BrokenExecutor
from datetime import date

import msgspec

from billing_reports.customers import Customer
from billing_reports.house import House
from billing_reports.month import Context, Months, compose_page, ends_at
from billing_reports.numbering import issuable
from billing_reports.plans import month_of
from billing_reports.price import zone_of
from billing_reports.runs import Run, RunState
from billing_reports.statement import Statement
from billing_reports.statement_store import BillingStores
from chargenet.errors import ChargewatchError, Conflict, Unavailable
from chargenet.ports import Clock
from chargenet.storage.relational_engine import Database
from chargenet.stores import MAX_LIMIT, Sites
from chargenet.workers import pool as worker_pool

log = logging.getLogger(__name__)

PAGE = 200
"""Customers of one step."""
SEVERAL = 1_000
"""Customers from which on worker processes pay for their start."""


class Runner:
    """One run at a time. `page`: customers of a step; `several`: customers from which on processes are used, where there is a
    `database` that they can open (that of `kept`)."""

    def __init__(
        self,
        kept: BillingStores,
        sites: Sites,
        clock: Clock,
        house: House,
        *,
        database: Database | None = None,
        page: int = PAGE,
        several: int = SEVERAL,
    ) -> None:
        self._database, self._sites, self._clock, self._house = database, sites, clock, house
        self._page, self._several = page, several
        self._customers, self._statements, self._tariffs = kept.customers, kept.statements, kept.tariffs
        self._months = Months(kept)

    async def begin(
        self, month: date, *, time_zone: str | None, finalize: bool, unfinished_month: bool, who: str, run_id: str | None = None
    ) -> Run:
        """A run, stored; or the one of the same month that is running. Conflict where a month that goes on should be made final."""
        zones = await self._customers.zones()
        wanted = [zone for zone in zones if time_zone in (None, zone)]
        if finalize:
            issuable(self._house)
        now = self._clock.now()
        ends = [ends_at(month, zone) for zone in wanted]
        if finalize and not unfinished_month and any(now < end for end in ends):
            raise Conflict(f"{month:%Y-%m} has not ended everywhere: make drafts, wait, or ask for the unfinished month explicitly")
        name = run_id or f"{month:%Y-%m}{'' if time_zone is None else ' ' + time_zone}"
        present = await self._statements.run(name)
        if present is not None and present.state is RunState.RUNNING:
            return present
        run = Run(
            run_id=name, month=month, time_zone=time_zone, finalize=finalize, unfinished_month=unfinished_month,
            total=sum(zones[zone] for zone in wanted), started_at=now, started_by=who,
        )  # fmt: skip
        await self._statements.put_run(run)
        return run

    async def work(self, run: Run, told: Callable[[Run], None] = lambda run: None) -> Run:
        """Everything that is left of a run. Raises Unavailable while a store does not answer: call it again then."""
        try:
            context = await self._context(run)
            if self._database is not None and run.total >= self._several and self._house.workers > 1:
                run = await self._in_processes(self._database, run, context, told)
            else:
                async for page in self._pages(run):
                    run = await self._store(run, page, await self._months.drafts(page, context))
                    told(run)
        except Unavailable:
            raise
        except ChargewatchError as problem:
            run = msgspec.structs.replace(run, state=RunState.FAILED, problem=str(problem), finished_at=self._clock.now())
        else:
            run = msgspec.structs.replace(run, state=RunState.DONE, problem=None, finished_at=self._clock.now())
        await self._statements.put_run(run)
        told(run)
        return run

    async def _context(self, run: Run) -> Context:
        names: dict[str, str] = {}
        cursor: str | None = None
        while True:
            page = await self._sites.page(cursor=cursor, limit=MAX_LIMIT)
            names |= {each.site_id: each.name for each in page.items}
            if (cursor := page.next_cursor) is None:
                break
        return Context(run.month, await self._tariffs.plans(), self._house, names, self._clock.now())

    async def _pages(self, run: Run) -> AsyncIterator[list[Customer]]:
        """Customers that are left, in order of ids."""
        after = run.after
        while True:
            if run.time_zone is not None:
                found = await self._customers.in_zone(run.time_zone, after, self._page)
            else:
                found = await self._customers.after(after, self._page)
            if not found:
                return
            yield found
            after = found[-1].customer_id

    async def _in_processes(self, database: Database, run: Run, context: Context, told: Callable[[Run], None]) -> Run:
        """Pages side by side, stored in order: numbers do not depend on which worker was faster."""
        url, workers = database.url, self._house.workers
        where = url.set(password=None).render_as_string(hide_password=False)
        secret, encoded = url.password, msgspec.msgpack.encode(context)
        loop = asyncio.get_running_loop()
        waiting: list[tuple[list[Customer], asyncio.Future[bytes]]] = []
        pool = worker_pool(workers)
        try:
            async for page in self._pages(run):
                job = loop.run_in_executor(
                    pool, compose_page, where, secret if secret is None else str(secret), msgspec.msgpack.encode(page), encoded
                )
                waiting.append((page, job))
                if len(waiting) > 2 * workers:
                    run = await self._take(run, waiting.pop(0), told)
            while waiting:
                run = await self._take(run, waiting.pop(0), told)
        except BrokenExecutor as problem:
            raise Unavailable(f"a worker process ended: {problem}") from problem
        finally:
            for _, job in waiting:
                job.cancel()
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)  # it waits for pages that are being made
        return run

    async def _take(self, run: Run, made: tuple[list[Customer], asyncio.Future[bytes]], told: Callable[[Run], None]) -> Run:
        page, job = made
        drafts = msgspec.msgpack.decode(await job, type=list[Statement])
        run = await self._store(run, page, drafts)
        told(run)
        return run

    async def _store(self, run: Run, page: Sequence[Customer], drafts: Sequence[Statement]) -> Run:
        names = [each.customer_id for each in page]
        days = {each.customer_id: each.payment_days for each in page}
        done = msgspec.structs.replace(run, done=run.done + len(page), drafts=run.drafts + len(drafts), after=names[-1])
        if not run.finalize:
            await self._statements.put_drafts(drafts, names, run.month, done)
            return done
        await self._statements.put_drafts(drafts, names, run.month)
        ids = [each.id for each in drafts]
        terms = [self._days(days[each.customer_id]) for each in drafts]
        done = msgspec.structs.replace(done, finals=run.finals + len(ids))
        await self._statements.finalize(ids, self._clock.now(), terms, done)
        return done

    def _days(self, own: int | None) -> int:
        return self._house.payment_days if own is None else own

    async def due(self, month_due: Callable[[str], date | None]) -> list[tuple[str, date]]:
        """(time zone, month) that is to be billed by itself and has no run yet. `month_due`: the month that is due in a zone."""
        found = []
        for zone in await self._customers.zones():
            month = month_due(zone)
            if month is not None and await self._statements.run(scheduled_id(month, zone)) is None:
                found.append((zone, month))
        return found


def scheduled_id(month: date, time_zone: str) -> str:
    """Of the run that happens by itself: it happens once."""
    return f"{month:%Y-%m} {time_zone} by itself"


def this_month(clock: Clock, time_zone: str) -> date:
    """The first day of the present month in a zone."""
    return month_of(clock.now(), zone_of(time_zone))
