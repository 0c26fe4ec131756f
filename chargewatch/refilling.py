"""Read models dropped and filled from the journal. Decided here: how much is taken in at once, and that reading goes on meanwhile.

One reading and one interpretation of the journal feed all of them; while they take a batch in, the next is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from chargenet.events import Fact
from chargenet.ports import Journal, Projection
from collector.interpret import interpret

BATCH = 20_000
"""Records taken in at once. The rows of a charge point are written once for each batch, however much it said in it."""

Told = Callable[[str, int], None]
"""(read model, the position it has taken in and stored)"""


async def refill(journal: Journal, projections: Sequence[Projection], told: Told) -> None:
    """Drop what `projections` hold, and feed them the whole journal. Raises what they and the journal raise, in groups."""
    for projection in projections:
        await projection.reset()
    facts = await asyncio.to_thread(_facts, journal, 0)
    while facts:
        position = facts[-1].sequence
        async with asyncio.TaskGroup() as tasks:
            coming = tasks.create_task(asyncio.to_thread(_facts, journal, position))
            for projection in projections:
                tasks.create_task(_apply(projection, facts, position, told))
        facts = coming.result()


async def _apply(projection: Projection, facts: Sequence[Fact], upto: int, told: Told) -> None:
    await projection.apply(facts, upto)
    told(projection.name, upto)


def _facts(journal: Journal, after: int) -> list[Fact]:
    return [interpret(record) for record in journal.read(after, BATCH)]
