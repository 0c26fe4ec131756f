"""Restart and rebuild: how long a platform takes to come back with a long journal, and how fast read models are made from it."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chargenet.clock import SystemClock
from chargenet.journal.journal import SegmentJournal
from chargenet.model.words import RecordKind
from tests.benchmarks.load import meter_values, status
from tests.benchmarks.servers import TICKS_PER_S
from tests.support.platform import RunningPlatform

RECORDS = 1_000_000
REBUILT = 500_000
CHARGE_POINTS = 1_000


async def fill(folder: Path, records: int) -> None:
    """A journal of status reports and 8-value meter readings, as the collector writes them."""
    journal = SegmentJournal.open(folder, clock=SystemClock())
    frames = [
        json.dumps([2, str(count), *(meter_values if count % 2 else status)(count)], separators=(",", ":")).encode()
        for count in range(4096)
    ]
    clock = SystemClock()
    for count in range(records):
        name = f"CP-{count % CHARGE_POINTS:05d}"
        journal.append(
            received_at_us=clock.now_us(), charge_point_id=name, generation=0, protocol="ocpp1.6", kind=RecordKind.CALL,
            frame=frames[count % 4096], reply=b"[3,%d,{}]" % count,
        )  # fmt: skip
        if journal.pending > 5000:
            await asyncio.sleep(0.002)
    while journal.durable_sequence < records:  # noqa: ASYNC110 - the journal is not asked to wake a benchmark
        await asyncio.sleep(0.01)
    journal.close()


def rebuilt(data: Path, records: int) -> dict[str, float]:
    """Run `chargewatch rebuild` on all cores; records a second of the clock, and of CPU time of its two processes, start-up of the
    command included."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "chargewatch", "rebuild", "--data", str(data)], check=True, capture_output=True,
    )  # fmt: skip
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "cores": len(os.sched_getaffinity(0)),
        "seconds": round(seconds, 2),
        "records_per_s": round(records / seconds),
        "records_per_cpu_s": round(records / cpu_s),
    }


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_rebuild_rate(tmp_path: Path) -> None:
    """Records a second through all durable read models (stations, transactions, telemetry, rollups)."""
    asyncio.run(fill(tmp_path / "data" / "journal", REBUILT))
    print("\n" + json.dumps({"benchmark": "rebuild", "records": REBUILT, **rebuilt(tmp_path / "data", REBUILT)}))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_restart_with_a_long_journal(tmp_path: Path) -> None:
    """Seconds, and CPU seconds, from the start of the process to both listeners, with a million records: after kill -9.

    The read models were made by `rebuild`, whose rate over a million records is in the line as well.
    """
    data = tmp_path / "data"
    asyncio.run(fill(data / "journal", RECORDS))
    line: dict[str, object] = {"benchmark": "restart", "records": RECORDS, "rebuild": rebuilt(data, RECORDS)}
    with RunningPlatform(data) as platform:
        for name in ("killed_once", "killed_twice"):
            platform.kill()
            seconds = platform.start()
            line[name] = {"seconds": round(seconds, 2), "cpu_s": round(cpu_s(platform.process.pid), 2)}
    print("\n" + json.dumps(line))
