"""The reports program: its parts joined. Decided here: nothing but who knows whom."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from billing_reports.rollup_loop import Revenue, RollupLoop
from billing_reports.rollup_metrics import RollupMetrics
from billing_reports.rollup_store import RollupStore
from chargenet.ports import Clock


class Reports:
    """Implements `chargenet.ports.Program`. `behind`: records that the rollups projection has not taken in yet."""

    name = "reports"

    def __init__(
        self,
        rollups: RollupStore,
        clock: Clock,
        site_of: Callable[[str], str],
        behind: Callable[[], int],
        revenue: Revenue | None = None,
    ) -> None:
        self.rollups = rollups
        self.metrics = RollupMetrics(behind)
        self.loop = RollupLoop(rollups, clock, self.metrics, site_of, revenue)

    async def run(self) -> None:
        """See `ports.Program`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.loop.run(), name="reports rollups")

    @property
    def health(self) -> tuple[bool, str]:
        """Is it well, and a sentence."""
        upto = self.metrics.upto
        return self.loop.problem is None, self.loop.problem or (f"hours made up to {upto:%Y-%m-%d %H:%M}Z" if upto else "starting")
