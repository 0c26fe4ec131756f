"""Connections that a collector could not close, because it was killed. Decided here: they ended, and the journal says so.

Their charge points would be shown as connected for ever if they did not come back. A connection's generation is the sequence of its
CONNECTED record, so everything up to the journal's end at start belongs to a collector that is gone; a charge point that has
reconnected meanwhile has a higher generation, which no older close can mark offline.
"""

from __future__ import annotations

import logging

import msgspec

from chargenet.model.record import Record
from chargenet.model.words import RecordKind
from chargenet.ports import Clock
from chargenet.stores import Stations
from collector.interpret import interpret
from collector.recorder import Recorder

log = logging.getLogger(__name__)

NOTE = msgspec.json.encode({"code": 1006, "reason": "the collector ended", "lost": True, "superseded": False})


async def close_leftovers(stations: Stations, recorder: Recorder, clock: Clock, last: int) -> int:
    """Record the end of connections opened by records up to `last`, which the stations read model must have seen; how many.

    Raises StoreUnavailable and JournalUnavailable; asking again is harmless.
    """
    closed, cursor = 0, None
    while True:
        page = await stations.charge_points(connected=True, cursor=cursor, limit=500)
        for point in page.items:
            if 0 < point.state.generation <= last:
                record_end(recorder, clock, point.charge_point_id, point.state.generation, point.state.protocol or "", NOTE)
                closed += 1
        if (cursor := page.next_cursor) is None:
            break
    if closed:
        log.info("%d connections of the collector before this one are recorded as lost", closed)
    return closed


def record_end(recorder: Recorder, clock: Clock, charge_point_id: str, generation: int, protocol: str, note: bytes) -> int:
    """Append the end of a connection that can no longer do it itself; its sequence. Raises JournalUnavailable."""
    now_us = clock.now_us()
    record = Record(0, now_us, charge_point_id, generation, protocol, RecordKind.DISCONNECTED, note)
    return recorder.record(
        received_at_us=now_us, charge_point_id=charge_point_id, generation=generation, protocol=protocol,
        kind=RecordKind.DISCONNECTED, frame=note, action="", events=interpret(record).events,
    )  # fmt: skip
