"""A process whose disk fills while it writes telemetry: `python -m tests.support.embedded_full_disk FOLDER BYTES`.

The disk is full in that no file may grow beyond BYTES. Prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from pathlib import Path

from chargenet.clock import SystemClock
from chargenet.errors import StoreUnavailable
from chargenet.storage.embedded import EmbeddedLimits, EmbeddedTelemetry
from tests.support.embedded_writer import fact_number

FACTS_PER_WRITE = 500


async def fill(folder: Path, limit: int) -> dict[str, object]:
    """Write until ten writes have failed, free the disk, write once more; what is there then."""
    telemetry = EmbeddedTelemetry(folder, SystemClock(), limits=EmbeddedLimits(wal_mb=1))
    await telemetry.position()
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    problems: list[str] = []
    target = 0
    while len(problems) < 10:
        target = await telemetry.position() + FACTS_PER_WRITE
        try:
            await write_upto(telemetry, target)
        except StoreUnavailable as error:
            problems.append(str(error))
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await write_upto(telemetry, target + FACTS_PER_WRITE)
    position = await telemetry.position()
    rows, distinct = telemetry._file._rows("select count(*), count(distinct sequence) from samples", {})[0]
    await telemetry.close()
    return {"problems": problems, "target": target + FACTS_PER_WRITE, "position": position, "rows": rows, "distinct": distinct}


async def write_upto(telemetry: EmbeddedTelemetry, upto: int) -> None:
    """All facts that are not there yet, as a projection would."""
    position = await telemetry.position()
    await telemetry.write([fact_number(n) for n in range(position + 1, upto + 1)], upto)


if __name__ == "__main__":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    print(json.dumps(asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))))
