"""Brings hours of connectors to where boards read them. Decided here: when, and that each hour is told until it is stored.

What was exported is remembered with its revision in the same store as the hours: killed in between, an hour is told twice, and the
store replaces it. An hour that is restated is told again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import msgspec

from billing_reports.rollup_store import RollupStore
from billing_reports.rollups import HourRow
from chargenet.errors import Unavailable
from chargenet.ports import ConnectorHour, HourSink

log = logging.getLogger(__name__)

EVERY_S = 30.0
BATCH = 2_000
"""Hours of one step: what is told again after a failure."""
_KEYS = {"charge_point_id": "charge_point"}


class RollupExport:
    """One per sink."""

    def __init__(self, store: RollupStore, sink: HourSink, site_of: Callable[[str], str], every_s: float = EVERY_S) -> None:
        self._store, self._sink, self._site_of, self._every_s = store, sink, site_of, every_s
        self.problem: str | None = None
        """Why nothing is exported, None while it is."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
                self.problem = None
            except Unavailable as error:
                if self.problem is None:
                    log.warning("hourly rollups are not exported: %s", error)
                self.problem = f"hours are not exported: {error}"
            await asyncio.sleep(self._every_s)

    async def look(self) -> int:
        """Everything that is due; how many hours that were."""
        told = 0
        while rows := await self._store.unexported(BATCH):
            await self._sink.write_hours([self._shown(row) for row in rows])
            await self._store.exported(rows)
            told += len(rows)
        return told

    def _shown(self, row: HourRow) -> ConnectorHour:
        fields = {_KEYS.get(name, name): value for name, value in msgspec.structs.asdict(row).items()}
        return ConnectorHour(site=self._site_of(row.charge_point_id), **fields)
