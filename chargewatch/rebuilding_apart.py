"""The telemetry read models made again in a process of their own. Decided here: what crosses, and how the two end together.

The process reads and interprets the journal for itself. That is the dearest part of a rebuild, and is done twice; but facts would
cost nearly as much to send, and on two cores both halves are done in the time of the longer one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import msgspec

from chargenet import workers
from chargenet.clock import SystemClock
from chargenet.errors import ChargewatchError, Unavailable
from chargenet.journal import FollowedJournal
from chargenet.journal.disk import LocalDisk
from chargenet.settings import Settings
from chargewatch import layout
from chargewatch.memory import few_collections
from chargewatch.refilling import Told, refill
from chargewatch.telemetry_stores import open_telemetry
from collector.projections.telemetry import TelemetryProjection


class Place(msgspec.Struct, frozen=True):
    """A telemetry store has taken in everything up to `position`."""

    name: str
    position: int


class Problem(msgspec.Struct, frozen=True):
    """It cannot go on; a sentence for the operator. (The error itself would not survive being sent.)"""

    sentence: str
    unavailable: bool


async def refill_apart(settings: Settings, sites: Mapping[str, str | None], told: Told) -> None:
    """Drop the telemetry stores and fill them from the journal. `sites`: charge point → site.

    Raises ChargewatchError with what stopped it. The process is gone when this returns, however it does.
    """
    process, hearing = workers.start(work, settings, dict(sites))
    try:
        while (word := await asyncio.to_thread(_hear, hearing)) is not None:
            if isinstance(word, Problem):
                raise Unavailable(word.sentence) if word.unavailable else ChargewatchError(word.sentence)
            told(word.name, word.position)
        await asyncio.to_thread(process.join)
        if process.exitcode:
            raise ChargewatchError(_ended(process))
    finally:
        process.kill()  # what is committed is on disk, and the next rebuild begins anew
        await asyncio.to_thread(process.join)


def _hear(hearing: Connection) -> Place | Problem | None:
    """The next word; None when the process has ended."""
    try:
        word = hearing.recv()
    except EOFError:
        return None
    assert isinstance(word, Place | Problem)
    return word


def _ended(process: BaseProcess) -> str:
    return (
        f"the process that rebuilds the telemetry ended with status {process.exitcode}: what it said stands above, and if that is "
        "nothing, look whether the machine ran out of memory. Run the command again"
    )


def work(telling: Connection, settings: Settings, sites: Mapping[str, str | None]) -> None:
    """In that process."""
    try:
        with few_collections():
            asyncio.run(_refill(telling, settings, sites))
    except ChargewatchError as error:
        telling.send(Problem(str(error), isinstance(error, Unavailable)))


async def _refill(telling: Connection, settings: Settings, sites: Mapping[str, str | None]) -> None:
    journal = FollowedJournal(LocalDisk(), layout.journal_folder(settings))
    stores = open_telemetry(settings, SystemClock(), sites.get)
    try:
        projections = [TelemetryProjection(store) for store in stores]
        await refill(journal, projections, lambda name, position: telling.send(Place(name, position)))
    finally:
        for store in stores:
            await store.close()
