"""Makes due hours and the windows that boards read. Decided here: when; what an hour holds is `rollup_hours`' business.

Runs beside the projection: it writes intervals as facts come, this makes rows of hours when an hour is over or was restated.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from billing_reports.cdr_row import CdrRow
from billing_reports.rollup_metrics import RollupMetrics
from billing_reports.rollup_revenue import revenue_of
from billing_reports.rollup_store import RollupStore
from billing_reports.rollups import WINDOWS, SiteWindow, by_site, hour_of
from chargenet.errors import Unavailable
from chargenet.ports import Clock

log = logging.getLogger(__name__)

EVERY_S = 30.0
"""Between two looks for something due."""
BATCH = 100
"""Charge points whose hours are made in one SQL transaction."""

Revenue = Callable[[datetime, datetime], Awaitable[Mapping[tuple[str, str], float]]]
"""(start, end) → (site, currency) → revenue before taxes of the CDRs that ended there."""

MadeAfter = Callable[[int], Awaitable[Sequence[CdrRow]]]
"""CDRs with a higher ordinal, the first ones in order; nothing when there is none."""


class RollupLoop:
    """One per process."""

    def __init__(
        self,
        store: RollupStore,
        clock: Clock,
        metrics: RollupMetrics,
        site_of: Callable[[str], str],
        revenue: Revenue | None = None,
        cdrs: MadeAfter | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        self._store, self._clock, self._metrics, self._site_of = store, clock, metrics, site_of
        self._revenue, self._cdrs, self._every_s = revenue, cdrs, every_s
        self.problem: str | None = None
        """Why no hours are made, None while they are."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
                self.problem = None
            except Unavailable as error:
                if self.problem is None:
                    log.warning("hourly rollups wait: %s", error)
                self.problem = str(error)
            self._metrics.working = self.problem is None
            await asyncio.sleep(self._every_s)

    async def look(self) -> int:
        """Make what is due; how many rows that were. Windows are summed anew when something changed or an hour ended."""
        upto, made = hour_of(self._clock.now()), 0
        while True:
            rolled = await self._store.roll(upto, BATCH)
            made += rolled.rows
            self._metrics.restated += rolled.restated
            if not rolled.points:
                break
        earned = await self._earn()
        if made or earned or self._metrics.upto != upto:
            self._metrics.windows = await self._windows(upto)
            self._metrics.upto = upto
        return made

    async def _earn(self) -> int:
        """Revenue of the CDRs that were made since the last look; how many hours it changed."""
        if self._cdrs is None:
            return 0
        after, changed = await self._store.earned_upto(), 0
        while rows := await self._cdrs(after):
            changed += await self._store.earn(revenue_of(rows), after, rows[-1].ordinal)
            after = rows[-1].ordinal
        return changed

    async def _windows(self, upto: datetime) -> list[SiteWindow]:
        windows: list[SiteWindow] = []
        for name, hours in WINDOWS.items():
            start = upto - timedelta(hours=hours)
            sites = by_site(name, await self._store.sums(start, upto), self._site_of)
            for (site, currency), amount in (await self._revenue(start, upto) if self._revenue is not None else {}).items():
                found = next((each for each in sites if each.site == site), None)
                if found is None:
                    sites.append(found := SiteWindow(site=site, window=name))
                found.revenue[currency] = amount
            windows += sites
        return windows
