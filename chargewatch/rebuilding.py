"""`rebuild`: every read model is dropped and made again from the journal. Decided here: when that is refused, and how it is fast.

One reading and one interpretation of the journal feed all read models; while they take a batch in, the next is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chargenet.clock import SystemClock
from chargenet.errors import Conflict
from chargenet.events import Fact
from chargenet.ports import Journal, Projection
from chargenet.settings import Settings
from chargewatch import discovery, layout
from chargewatch.opening import Opened, open_everything
from chargewatch.programs import read_models
from collector.interpret import interpret
from collector.projections.stations import StationsProjection
from collector.projections.telemetry import TelemetryProjection
from collector.projections.transactions import TransactionsProjection

BATCH = 20_000
"""Records taken in at once. The rows of a charge point are written once for each batch, however much it said in it."""

Progress = Callable[[str, int, int], None]
"""(read model, position, last sequence)"""


def durable_projections(opened: Opened) -> list[Projection]:
    """The read models that outlive the process."""
    telemetry = [TelemetryProjection(store) for store in opened.telemetry]
    return [
        StationsProjection(opened.stores.stations),
        TransactionsProjection(opened.stores.transactions),
        *telemetry,
        *read_models(opened.stores.database),
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
            raise Conflict(
                f"the journal begins at record {first}: older ones were removed by retention, and a rebuild would lose what the "
                "read models still know of them"
            )
        await _rebuild(opened, progress)
        return opened.journal.durable_sequence
    finally:
        await opened.close()


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
