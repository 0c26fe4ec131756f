"""A process that appends to a journal as fast as it can and prints each watermark: to be killed. Arguments: folder."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chargenet.clock import SystemClock
from chargenet.journal import JournalOptions, SegmentJournal
from chargenet.model.record import Decision
from tests.support.journal import append, until

OPTIONS = JournalOptions(segment_bytes=256 << 10, free_space_floor_bytes=0, tick_s=0.02)


async def main(path: Path) -> None:
    """Append until killed."""
    journal = SegmentJournal.open(path, clock=SystemClock(), options=OPTIONS)
    journal.on_durable(lambda watermark: print(watermark, flush=True))
    number = journal.durable_sequence
    while True:
        for _ in range(20):
            number += 1
            decision = Decision(transaction_id=number)
            append(journal, number, charge_point_id=f"CP-{number % 5}", decision=decision, padding=number % 700)
        journal.set_cursor("consumer", journal.durable_sequence)
        await asyncio.sleep(0)
        await until(lambda: journal.pending < 500)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
