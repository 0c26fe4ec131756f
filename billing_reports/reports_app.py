"""The reports program: its parts joined. Decided here: nothing but who knows whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from billing_reports.delivery import Delivery
from billing_reports.report_desk import ReportDesk
from billing_reports.report_facts import FactReader
from billing_reports.report_store import ReportStore
from billing_reports.rollup_export import RollupExport
from billing_reports.rollup_loop import MadeAfter, RollupLoop
from billing_reports.rollup_metrics import RollupMetrics
from billing_reports.rollup_store import RollupStore
from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.ports import Clock, HourSink, Journal, Notices
from chargenet.stores import Stores


class Reports:
    """Implements `chargenet.ports.Program`. `behind`: records that the rollups projection has not taken in yet."""

    name = "reports"

    def __init__(
        self,
        rollups: RollupStore,
        store: ReportStore,
        stores: Stores,
        journal: Journal,
        interpret: Callable[[Record], Fact],
        clock: Clock,
        site_of: Callable[[str], str],
        behind: Callable[[], int],
        notices: Notices | None,
        folder: Path,
        sinks: Sequence[HourSink] = (),
        cdrs: MadeAfter | None = None,
    ) -> None:
        """`folder`: where files of scheduled reports wait for their delivery. `sinks`: where hours go for boards; at most one.

        `cdrs`: what the revenue of hours is made of; without it they have none.
        """
        self._store, self._site_of = store, site_of
        self.desk = ReportDesk(rollups, store, stores, clock, site_of, FactReader(journal, interpret))
        self.delivery = Delivery(self.desk, notices, clock, folder)
        self.metrics = RollupMetrics(behind)
        self.exports = [RollupExport(rollups, each, site_of) for each in sinks[:1]]
        self.loop = RollupLoop(rollups, clock, self.metrics, site_of, self._revenue, cdrs)

    async def run(self) -> None:
        """See `ports.Program`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.loop.run(), name="reports rollups")
            tasks.create_task(self.delivery.run(), name="reports delivery")
            for each in self.exports:
                tasks.create_task(each.run(), name="reports export")

    async def _revenue(self, start: datetime, end: datetime) -> Mapping[tuple[str, str], float]:
        """(site, currency) → what the CDRs that ended in [start, end) come to before taxes."""
        found: dict[tuple[str, str], float] = {}
        for (charge_point_id, _), revenue in (await self._store.revenue(start, end)).items():
            key = (self._site_of(charge_point_id), revenue.currency)
            found[key] = found.get(key, 0.0) + float(revenue.amount)
        return found

    @property
    def health(self) -> tuple[bool, str]:
        """Is it well, and a sentence."""
        upto, problem = self.metrics.upto, self.loop.problem or self.delivery.problem
        problem = problem or next((each.problem for each in self.exports if each.problem is not None), None)
        return problem is None, problem or (f"hours made up to {upto:%Y-%m-%d %H:%M}Z" if upto else "starting")
