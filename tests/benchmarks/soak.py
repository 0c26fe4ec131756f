"""A soak: the platform under a simulated network, rude neighbours and restarts, for as long as you like.

    python -m tests.benchmarks.soak --minutes 10        (make soak)

Checks every minute and at the end: the platform answers, memory does not creep, read models keep up, the log has no errors, and
every call that the rude neighbours got acknowledged is in the journal. Prints one JSON line, with the memory of every minute and
what is known of it; exit code 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from chargenet.journal.journal import SegmentJournal
from chargenet.model.words import RecordKind
from tests.support.platform import RunningPlatform
from tests.support.raw import raw

RUDE = ("hello", "[]", '[2,"a","Sing",{}]', '[2,"b","Authorize",{"idTag":', "{}", '[9,"x"]')
RUDE_ANSWERS = 2
"""Of those, a and b can be answered: with an error."""
NEIGHBOURS = 20
WARM_UP_S = 60.0
"""Until then the heavy libraries are loaded and the network has connected."""
FILLS_MIB = {
    "telemetry that is not in its file yet (embedded_file.py: wal_mb, and what is made of it)": 96,
    "pages of SQLite (relational_engine.py: cache_size of five readers and a writer)": 96,
    "facts for late consumers (feed.py: CAPACITY)": 32,
    "instants read before (relational_bulk.py: _instants)": 15,
    "what malloc keeps for the next burst": 64,
}
"""What may still grow after that, each up to a bound of its own. Growth beyond their sum is none of them."""


class Soak:
    """One run."""

    def __init__(self, minutes: float, charge_points: int, speed: float, folder: Path) -> None:
        self.minutes, self.charge_points, self.speed = minutes, charge_points, speed
        self.platform = RunningPlatform(folder / "data")
        self.acknowledged: dict[str, int] = {}
        self.samples: list[dict[str, float]] = []
        self.began = 0.0
        self.problems: list[str] = []
        self.over = False

    async def run(self) -> dict[str, Any]:
        with self.platform:
            await self._load()
            if (code := await asyncio.to_thread(self.platform.stop)) != 0:
                self.problems.append(f"the platform ended with exit code {code}")
        self._check_journal()
        self._check_memory()
        self.problems += [line.strip() for line in self.platform.output if re.search(r"\bERROR\b|Traceback", line)][:10]
        return {
            "benchmark": "soak",
            "minutes": self.minutes,
            "records": self.samples[-1]["records"],
            "acknowledged_by_neighbours": sum(self.acknowledged.values()),
            "first": self.samples[0],
            "last": self.samples[-1],
            "memory_by_minute": self._by_minute(),
            "may_grow_by_mib": sum(FILLS_MIB.values()),
            "problems": self.problems,
        }

    async def _load(self) -> None:
        simulator = self._simulate()
        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(NEIGHBOURS):
                    tasks.create_task(self._neighbour(number))
                await self._watch()
                self.over = True
        finally:
            simulator.terminate()
            simulator.wait(20)
        await asyncio.sleep(2)

    def _simulate(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "chargewatch", "simulate", "--url", self.platform.url]
        options = ["--charge-points", str(self.charge_points), "--speed", str(self.speed)]
        return subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL)

    async def _neighbour(self, number: int) -> None:
        """Connects, says rubbish and real reports, leaves without a goodbye, comes back."""
        name, count = f"RUDE-{number}", 0
        while not self.over:
            async with raw(self.platform.url, name, close_timeout=0.1) as point:
                for text in RUDE:
                    await point.say(text)
                for _ in range(RUDE_ANSWERS):
                    await point.hear()
                for _ in range(50):
                    stamp = {"timestamp": f"2026-01-01T00:00:00.{count:06d}Z"}
                    reply = await point.call(
                        "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Faulted"} | stamp
                    )
                    assert reply[0] == 3, reply
                    count += 1
                    self.acknowledged[name] = count
                point.connection.transport.abort()

    async def _watch(self) -> None:
        self.began = time.monotonic()
        ends_at = self.began + self.minutes * 60
        while time.monotonic() < ends_at:
            await asyncio.sleep(min(15.0, self.minutes * 10))
            checks = (await asyncio.to_thread(self.platform.api, "GET", "/api/v1/health"))["checks"]
            self.problems += [f"{check['name']}: {check['detail']}" for check in checks if not check["ok"]]
            metrics = await asyncio.to_thread(self.platform.api, "GET", "/metrics")
            self.samples.append(
                {
                    "at_s": time.monotonic() - self.began,
                    "memory_mib": _number(metrics, "chargewatch_process_resident_memory_bytes") / 2**20,
                    **_parts(self.platform.process.pid, self.platform.data),
                    "records": _number(metrics, "chargewatch_journal_durable_sequence"),
                    "worst_lag_s": _number(metrics, "chargewatch_loop_lag_max_seconds"),
                    "connected": float(len(re.findall(r"^chargewatch_charge_point_connected\{.*\} 1(?:\.0)?$", metrics, re.M))),
                }
            )

    def _check_journal(self) -> None:
        journal = SegmentJournal.open(self.platform.data / "journal", read_only=True)
        kept: dict[str, set[bytes]] = {name: set() for name in self.acknowledged}
        position = 0
        while records := journal.read(position, 5000):
            for record in records:
                if record.kind is RecordKind.CALL and b"StatusNotification" in record.frame and record.charge_point_id in kept:
                    kept[record.charge_point_id].add(record.frame.partition(b"timestamp")[2])
            position = records[-1].sequence
        for name, count in self.acknowledged.items():
            if len(kept[name]) < count:
                self.problems.append(f"{name}: {count} calls were acknowledged, {len(kept[name])} are in the journal")
        self.problems += journal.damage()

    def _check_memory(self) -> None:
        warm = [sample for sample in self.samples if sample["at_s"] >= WARM_UP_S] or self.samples[-1:]
        early, late = warm[0]["memory_mib"], warm[-1]["memory_mib"]
        if late > early + sum(FILLS_MIB.values()):
            self.problems.append(f"memory grew from {early:.0f} to {late:.0f} MiB")

    def _by_minute(self) -> list[dict[str, float]]:
        """The last sample of each minute."""
        last = {int(sample["at_s"] // 60): sample for sample in self.samples}
        return [{name: round(value, 3) for name, value in sample.items()} for sample in last.values()]


def _parts(pid: int, data: Path) -> dict[str, float]:
    """MiB of the process: what it asked for, and what is mapped of libraries; and of telemetry's log, which is in memory too."""
    sizes = dict(re.findall(r"^(\w+): +(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M))
    log = data / "telemetry.duckdb.wal"
    return {
        "anonymous_mib": int(sizes["Anonymous"]) / 1024,
        "mapped_mib": (int(sizes["Rss"]) - int(sizes["Anonymous"])) / 1024,
        "telemetry_log_mib": (log.stat().st_size if log.exists() else 0) / 2**20,
    }


def _number(metrics: str, name: str) -> float:
    found = re.search(rf"^{name}(?:{{}})? (\S+)$", metrics, re.M)
    assert found is not None, f"{name} is not exposed"
    return float(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--charge-points", type=int, default=300)
    parser.add_argument("--speed", type=float, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(Soak(options.minutes, options.charge_points, options.speed, Path(folder)).run())
    print(json.dumps(result))
    sys.exit(1 if result["problems"] else 0)


if __name__ == "__main__":
    main()
