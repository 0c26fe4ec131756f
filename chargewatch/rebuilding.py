"""`rebuild`: every read model is dropped and made again from the journal. Decided here: when that is refused, and how it is fast.

One reading and one interpretation of the journal feed all read models; while they take a batch in, the next is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.rollup_sql import SqlRollups
from chargenet.clock import SystemClock
from chargenet.errors import Conflict
from chargenet.events import Fact
from chargenet.ports import Journal, Projection
from chargenet.settings import Settings
from chargewatch import discovery, layout
from chargewatch.opening import Opened, open_everything
from collector.interpret import interpret
from collector.projections.stations import StationsProjection
from collector.projections.telemetry import TelemetryProjection
from collector.projections.transactions import TransactionsProjection

BATCH = 20_000
"""Records taken in at once. The rows of a charge point are written once for each batch, however much it said in it."""

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


async def rebuild(settings: Settings, progress: Progress) -> int:
    """Returns the number of records read.

    Raises Conflict when a platform runs on the folder, when there is no journal in it, or when the journal no longer reaches back
    to its first record: what it has lost by retention could not be rebuilt.
    """
    if discovery.find(settings.data_dir) is not None:
        raise Conflict(f"a platform runs on {settings.data_dir}: stop it first, then rebuild")
    if not layout.journal_folder(settings).is_dir():
        raise Conflict(f"there is no journal in {settings.data_dir} to rebuild from: name the platform's folder with --data DIR")
    opened = await open_everything(settings, SystemClock(), serving=False)
    try:
        first = opened.journal.first_sequence
        if first > 1:
            raise Conflict(await asyncio.to_thread(_lost, opened.journal, first))
        await _rebuild(opened, progress)
        return opened.journal.durable_sequence
    finally:
        await opened.close()


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


async def _rebuild(opened: Opened, progress: Progress) -> None:
    journal, projections = opened.journal, durable_projections(opened)
    for projection in projections:
        await projection.reset()
        journal.set_cursor(projection.name, 0)
    last = journal.durable_sequence
    facts = await asyncio.to_thread(_facts, journal, 0)
    while facts:
        position = facts[-1].sequence
        async with asyncio.TaskGroup() as tasks:
            coming = tasks.create_task(asyncio.to_thread(_facts, journal, position))
            for projection in projections:
                tasks.create_task(_apply(projection, facts, position, last, progress))
        facts = coming.result()
        for projection in projections:
            journal.set_cursor(projection.name, position)


async def _apply(projection: Projection, facts: Sequence[Fact], upto: int, last: int, progress: Progress) -> None:
    await projection.apply(facts, upto)
    progress(projection.name, upto, last)


def _facts(journal: Journal, after: int) -> list[Fact]:
    return [interpret(record) for record in journal.read(after, BATCH)]
