"""The journal against LMDB and SQLite: durable appends, closed loop and paced; then reading, opening, and damaged files."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import uvloop

from chargenet.clock import SystemClock
from chargenet.journal import JournalOptions, SegmentJournal
from chargenet.model.words import RecordKind
from tests.benchmarks.journal_peers import GroupCommit, lmdb_peer, sqlite_peer
from tests.support.journal import until

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(600)]

Made = SegmentJournal | GroupCommit
FRAME, REPLY = b"x" * 430, b'[3,"0123456789",{}]'
NAMES = [f"CP-{number:05d}" for number in range(1000)]
OPTIONS = JournalOptions(free_space_floor_bytes=0)
REPETITIONS = 3


def segments(path: Path) -> SegmentJournal:
    return SegmentJournal.open(path, clock=SystemClock(), options=OPTIONS)


ADAPTERS: dict[str, Callable[[Path], Made]] = {"segments": segments, "lmdb": lmdb_peer, "sqlite": sqlite_peer}


def append_one(journal: Made, number: int) -> int:
    return journal.append(
        received_at_us=1_767_225_600_000_000 + number, charge_point_id=NAMES[number % 1000], generation=1, protocol="ocpp1.6",
        kind=RecordKind.CALL, frame=FRAME, reply=REPLY,
    )  # fmt: skip


class Latencies:
    """From append to durable, per record."""

    def __init__(self, journal: Made) -> None:
        self.appended: list[float] = [0.0]
        self.seconds: list[float] = []
        self.journal = journal
        journal.on_durable(self._told)

    def append(self) -> None:
        self.appended.append(time.perf_counter())
        append_one(self.journal, len(self.appended))

    def _told(self, watermark: int) -> None:
        now = time.perf_counter()
        self.seconds += [now - at for at in self.appended[len(self.seconds) + 1 : watermark + 1]]


async def closed_loop(journal: Made, events: int, producers: int) -> Latencies:
    """Each of `producers` appends its next event when its last one is durable."""
    latencies, done = Latencies(journal), asyncio.Event()

    def again(watermark: int) -> None:
        for _ in range(min(events, watermark + producers) - len(latencies.appended) + 1):
            latencies.append()
        if watermark >= events:
            done.set()

    journal.on_durable(again)
    again(0)
    await done.wait()
    return latencies


async def paced(journal: Made, events: int, per_s: int) -> Latencies:
    """Events at a steady rate, whatever the journal does."""
    latencies, began = Latencies(journal), time.perf_counter()
    while len(latencies.appended) <= events:
        due = min(events, int((time.perf_counter() - began) * per_s))
        while len(latencies.appended) <= due:
            latencies.append()
        await asyncio.sleep(0.001)
    await until(lambda: journal.pending == 0)
    return latencies


def run(make: Callable[[Path], Made], path: Path, load: Callable[[Made], Any]) -> dict[str, float]:
    """Figures of one run."""

    async def story() -> dict[str, float]:
        journal = make(path)
        began, cpu = time.perf_counter(), time.process_time()
        latencies = await load(journal)
        cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
        journal.close()
        ordered, count = sorted(latencies.seconds), len(latencies.seconds)
        return {
            "events_per_s": round(count / seconds),
            "p50_ms": round(ordered[count // 2] * 1e3, 2),
            "p99_ms": round(ordered[count * 99 // 100] * 1e3, 2),
            "cpu_us_per_event": round(cpu / count * 1e6, 2),
        }

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(story())


def interleaved(tmp_path: Path, load: Callable[[Made], Any]) -> dict[str, dict[str, float]]:
    """Medians of all figures, adapters taking turns."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in ADAPTERS}
    for repetition in range(REPETITIONS):
        for name, make in ADAPTERS.items():
            runs[name].append(run(make, tmp_path / f"{name}-{repetition}", load))
    return {name: {figure: median(one[figure] for one in found) for figure in found[0]} for name, found in runs.items()}


def say(benchmark: str, **figures: Any) -> None:
    print("\n" + json.dumps({"benchmark": benchmark, **figures}))


def test_closed_loop(tmp_path: Path) -> None:
    """2,000 producers, each waiting for durability: near LMDB, which checks and indexes nothing, and below SQLite."""
    found = interleaved(tmp_path, lambda journal: closed_loop(journal, 100_000, 2_000))
    say("journal_closed_loop", event_bytes=len(FRAME) + len(REPLY), **found)
    assert found["segments"]["cpu_us_per_event"] < found["sqlite"]["cpu_us_per_event"]
    assert found["segments"]["cpu_us_per_event"] < 1.5 * found["lmdb"]["cpu_us_per_event"]


def test_paced(tmp_path: Path) -> None:
    """20,000 events a second: the latency that a charge point sees."""
    found = interleaved(tmp_path, lambda journal: paced(journal, 60_000, 20_000))
    say("journal_paced_20k", event_bytes=len(FRAME) + len(REPLY), **found)
    assert found["segments"]["p50_ms"] < 2 * min(found["lmdb"]["p50_ms"], found["sqlite"]["p50_ms"])


def test_a_million_records(tmp_path: Path) -> None:
    """Opening and reading a journal of 1,000,000 records."""
    path = tmp_path / "journal"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_write_million(path))
        figures = runner.run(_open_and_read(path))
    say("journal_million", **figures)
    assert figures["records"] == 1_000_000


async def _write_million(path: Path) -> None:
    journal = segments(path)
    for number in range(1_000_000):
        append_one(journal, number)
        if number % 2000 == 1999:
            await until(lambda: journal.pending < 20_000)
            await asyncio.sleep(0)
    journal.close()


async def _open_and_read(path: Path) -> dict[str, float]:
    began = time.perf_counter()
    journal = segments(path)
    opened = time.perf_counter()
    count = after = 0
    while records := journal.read(after, 1000):
        count, after = count + len(records), records[-1].sequence
    read = time.perf_counter()
    journal.read_charge_point(NAMES[7], limit=100)
    asked = time.perf_counter()
    journal.close()
    per_s = round(count / (read - opened))
    asked_ms = round((asked - read) * 1e3, 2)
    return {"records": count, "open_s": round(opened - began, 3), "read_per_s": per_s, "charge_point_100_ms": asked_ms}


def test_damaged_files(tmp_path: Path) -> None:
    """Junk at a random place, 40 times each: who crashes, gives up at the damage, or serves something that was never written?"""
    cases = [(name, size) for size in (64, 4096) for name in ("segments", "lmdb")]
    outcomes = {f"{name}_{size}": _damage(name, tmp_path / f"{name}-{size}", size) for name, size in cases}
    say("journal_damaged_files", **outcomes)
    ours = [outcome for name, outcome in outcomes.items() if name.startswith("segments")]
    assert all(outcome["crashed"] == outcome["served_wrong"] == outcome["gave_up"] == 0 for outcome in ours)


def _damage(name: str, path: Path, size: int) -> dict[str, int]:
    run(ADAPTERS[name], path, lambda journal: closed_loop(journal, 20_000, 2_000))
    file = path / "data.mdb" if name == "lmdb" else min(path.glob("*.segment"))
    content, chance = file.read_bytes(), random.Random(4)
    outcome = {"crashed": 0, "served_wrong": 0, "gave_up": 0, "lost_records": 0}
    for _ in range(40):
        damaged = bytearray(content)
        at = chance.randrange(8192, len(content) - 4096)
        damaged[at : at + size] = chance.randbytes(size)
        file.write_bytes(damaged)
        reader = [sys.executable, "-m", "tests.benchmarks.journal_reader", name, str(path)]
        child = subprocess.run(reader, capture_output=True, text=True, check=False, timeout=60)
        if child.returncode < 0:
            outcome["crashed"] += 1
        elif child.returncode > 0:
            outcome["gave_up"] += 1
        else:
            right, wrong = map(int, child.stdout.split())
            outcome["served_wrong"] += wrong > 0
            outcome["lost_records"] += 20_000 - right
    return outcome
