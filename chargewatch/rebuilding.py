"""`rebuild`: every read model is dropped and made again from the journal. Decided here: when that is refused, and which process
makes which: those in SQL are made in this one, beside it the telemetry in one of its own, where there is a core for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.rollup_sql import SqlRollups
from chargenet.clock import SystemClock
from chargenet.errors import Conflict, first_of
from chargenet.ports import Journal, Projection
from chargenet.settings import Settings
from chargenet.storage.relational_alone import Alone
from chargewatch import discovery, layout
from chargewatch.opening import Opened, open_everything
from chargewatch.programs import ALL
from chargewatch.rebuilding_apart import refill_apart
from chargewatch.refilling import BATCH, refill
from collector.projections.stations import StationsProjection
from collector.projections.telemetry import TelemetryProjection
from collector.projections.transactions import TransactionsProjection

Progress = Callable[[str, int, int], None]
"""(read model, position, last sequence)"""


def durable_projections(opened: Opened) -> list[Projection]:
    """The read models that outlive the process, those of the programs too."""
    telemetry = [TelemetryProjection(store) for store in opened.telemetry]
    return [
        StationsProjection(opened.stores.stations),
        TransactionsProjection(opened.stores.transactions),
        *telemetry,
        RollupProjection(SqlRollups(opened.stores.database)),
    ]


async def rebuild(settings: Settings, progress: Progress, *, apart: bool | None = None) -> int:
    """Returns the number of records read. `apart`: telemetry in a process of its own; None where that is faster.

    Raises Conflict when a platform runs on the folder or a program on its database, when there is no journal in it, or when the
    journal no longer reaches back to its first record: what it has lost by retention could not be rebuilt.
    """
    if discovery.find(settings.data_dir) is not None:
        raise Conflict(f"a platform runs on {settings.data_dir}: stop it first, then rebuild")
    if not layout.journal_folder(settings).is_dir():
        raise Conflict(f"there is no journal in {settings.data_dir} to rebuild from: name the platform's folder with --data DIR")
    opened = await open_everything(settings, SystemClock(), serving=False)
    try:
        await _refuse_programs(opened)
        first = opened.journal.first_sequence
        if first > 1:
            raise Conflict(await asyncio.to_thread(_lost, opened.journal, first))
        await _rebuild(
            settings, opened, progress, opened.journal.durable_sequence > BATCH and _cores() > 1 if apart is None else apart
        )
        return opened.journal.durable_sequence
    finally:
        await opened.close()


async def _refuse_programs(opened: Opened) -> None:
    """Raises Conflict while a program runs apart on the same database: it would go on from what is dropped here."""
    for name in sorted(ALL):
        alone = Alone(opened.stores.database, name)
        free = await alone.taken()
        await alone.close()
        if not free:
            raise Conflict(f"the {name} program runs on this database: stop it first, then rebuild")


def _lost(journal: Journal, first: int) -> str:
    """What a rebuild would lose."""
    oldest = journal.read(first - 1, 1)
    begins = f" of {oldest[0].received_at:%Y-%m-%d %H:%M} UTC" if oldest else ""
    return (
        f"the journal begins at record {first}{begins}: retention has removed the {first - 1} before it, and a rebuild would lose "
        "all that only those said: transactions and their registers, measurements and hourly rollups from before; first sightings, "
        "vendor and firmware of charge points that did not boot since. Nothing was changed. To rebuild all of it, restore a backup "
        "whose journal begins at record 1"
    )


async def _rebuild(settings: Settings, opened: Opened, progress: Progress, apart: bool) -> None:
    journal, projections = opened.journal, durable_projections(opened)
    last = journal.durable_sequence
    for projection in projections:
        journal.set_cursor(projection.name, 0)

    def told(name: str, position: int) -> None:
        journal.set_cursor(name, position)
        progress(name, position, last)

    here = [each for each in projections if not (apart and isinstance(each, TelemetryProjection))]
    try:
        async with asyncio.TaskGroup() as tasks:
            if len(here) < len(projections):
                tasks.create_task(refill_apart(settings, await _sites(settings, opened), told))
            tasks.create_task(refill(journal, here, told))
    except BaseExceptionGroup as group:
        raise first_of(group) from group


async def _sites(settings: Settings, opened: Opened) -> dict[str, str | None]:
    """Charge point → site, where a telemetry store asks for it."""
    if settings.influx.url is None:
        return {}
    return {row.charge_point_id: row.site_id for row in await opened.stores.registrations.everything()}


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
