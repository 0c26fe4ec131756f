"""What is put right beside the running of things. Decided here: when; each piece retries while a store does not answer."""

from __future__ import annotations

import asyncio
import logging

from chargenet.errors import Unavailable
from chargenet.ports import Clock
from chargenet.stores import KeyRing, Stations
from collector.leftovers import close_leftovers
from collector.projector import Projector
from collector.recorder import Recorder

log = logging.getLogger(__name__)

RETRY_S = 5.0
KEYS_S = 60.0
"""Between two readings of the API keys: last uses are written, keys made or revoked elsewhere arrive."""


async def end_old_connections(projector: Projector, stations: Stations, recorder: Recorder, clock: Clock, last: int) -> None:
    """Once the stations read model has seen everything up to `last`, where this run began: what was open then has ended."""
    await projector.wait_for(last)
    while True:
        try:
            await close_leftovers(stations, recorder, clock, last)
            return
        except Unavailable as error:
            log.warning("connections of before the start are not closed yet: %s", error)
            await asyncio.sleep(RETRY_S)


async def refresh_keys(keys: KeyRing) -> None:
    """For ever."""
    while True:
        await asyncio.sleep(KEYS_S)
        try:
            await keys.refresh()
        except Unavailable as error:
            log.warning("API keys stay as they were: %s", error)
