"""Restart and rebuild: how long a platform takes to come back with a long journal, and how fast read models are made from it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chargenet.clock import SystemClock
from chargenet.journal.journal import SegmentJournal
from chargenet.model.words import RecordKind
from tests.benchmarks.load import meter_values, status
from tests.benchmarks.servers import SERVER_CORE
from tests.support.platform import RunningPlatform

RECORDS = 1_000_000
REBUILT = 200_000
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


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_rebuild_rate(tmp_path: Path) -> None:
    """Records a second through all durable read models (stations, transactions, telemetry), start-up of the command included."""
    asyncio.run(fill(tmp_path / "data" / "journal", REBUILT))
    began = time.perf_counter()
    subprocess.run(
        ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "chargewatch", "rebuild", "--data", str(tmp_path / "data")],
        check=True, capture_output=True,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    print("\n" + json.dumps({"benchmark": "rebuild", "records": REBUILT, "seconds": round(seconds, 2),
                             "records_per_s": round(REBUILT / seconds)}))  # fmt: skip


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_restart_with_a_long_journal(tmp_path: Path) -> None:
    """Seconds from the start of the process to both listeners, with a million records of which the read models have seen all."""
    asyncio.run(fill(tmp_path / "data" / "journal", RECORDS))
    with RunningPlatform(tmp_path / "data") as platform:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            details = [check["detail"] for check in platform.api("GET", "/api/v1/health")["checks"]]
            if all("behind" not in detail or detail == "0 records behind" for detail in details):
                break
            time.sleep(1)
        platform.kill()
        seconds = platform.start()
    print("\n" + json.dumps({"benchmark": "restart", "records": RECORDS, "seconds": round(seconds, 2)}))
