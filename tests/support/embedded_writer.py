"""A process that writes telemetry until it is killed: `python -m tests.support.embedded_writer FOLDER`.

It goes on from the store's own position, as a projection does, and prints each position once it is stored.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chargenet.clock import SystemClock
from chargenet.events import Fact, StatusReported
from chargenet.storage.embedded import EmbeddedLimits, EmbeddedTelemetry
from tests.support.facts import fact, measured, register

FACTS_PER_WRITE = 50
STATES_EVERY = 10


def fact_number(sequence: int) -> Fact:
    """The register of `sequence` at that second; every tenth fact is a status instead."""
    if sequence % STATES_EVERY == 0:
        return fact(sequence, StatusReported(connector=None, status="Available", raw_status="Available"))
    return fact(sequence, measured([register(sequence)], sequence, connector=1 + sequence % 40))


async def write_for_ever(folder: Path) -> None:
    """Write, print, repeat. A small log makes checkpoints frequent, so that some kills hit one."""
    telemetry = EmbeddedTelemetry(folder, SystemClock(), limits=EmbeddedLimits(wal_mb=1))
    position = await telemetry.position()
    while True:
        upto = position + FACTS_PER_WRITE
        await telemetry.write([fact_number(sequence) for sequence in range(position + 1, upto + 1)], upto)
        position = upto
        print(position, flush=True)


if __name__ == "__main__":
    asyncio.run(write_for_ever(Path(sys.argv[1])))
