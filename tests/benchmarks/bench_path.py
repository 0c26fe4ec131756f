"""The complete path of a message, frame to durable answer with metrics and telemetry, against peers measured in the same minute.

CPU per message counts from the first message until the server has nothing left to do; connecting is another benchmark.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.benchmarks.servers import Served, chargewatch, peer, transport

REPETITIONS = 3


def interleaved(servers: list[Served], **options: Any) -> dict[str, dict[str, Any]]:
    """The run of each server with the median CPU, servers taking turns."""
    runs: dict[str, list[dict[str, Any]]] = {server.name: [] for server in servers}
    for seed in range(1, REPETITIONS + 1):
        for server in servers:
            runs[server.name].append(server.load(seed=seed, **options))
    result = {}
    for name, found in runs.items():
        middle = median(run["cpu_us_per_message"] for run in found)
        result[name] = next(run for run in found if run["cpu_us_per_message"] == middle)
    return result


def say(benchmark: str, **figures: Any) -> None:
    print("\n" + json.dumps({"benchmark": benchmark, **figures}))


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("payload", "protocol"), [("meter_values", "ocpp1.6"), ("transaction_event", "ocpp2.0.1"), ("mixed", "ocpp1.6")]
)
def test_cpu_per_message(payload: str, protocol: str, tmp_path: Path) -> None:
    """Closed loop over 1,000 connections: CPU per message, and how many times less than the PyPI ocpp server.

    Three things, all of one run of `chargewatch up` with every program: the path that the bar lists (connections, journal, fleet
    metrics, telemetry), the whole process, and the share of each program and read model.
    """
    with peer("ocpp") as ocpp, peer("echo") as echo, chargewatch(tmp_path / "data", books=tmp_path / "books") as ours:
        runs = interleaved([ours, ocpp, echo], payload=payload, protocol=protocol, connections=1000, seconds=5)
    whole, theirs, bare = (runs[name]["cpu_us_per_message"] for name in ("chargewatch", "ocpp", "echo"))
    shares = runs["chargewatch"]["books"]
    path = shares["path"]
    say(
        f"path_{payload}", path_cpu_us=path, whole_cpu_us=whole, ocpp_cpu_us=theirs, echo_cpu_us=bare,
        path_times_ocpp=round(theirs / path, 1), whole_times_ocpp=round(theirs / whole, 1), path_times_echo=round(bare / path, 2),
        shares_us=shares, runs=runs,
    )  # fmt: skip
    assert all(run["errors"] == 0 for run in runs.values())


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("rate", [1_000, 5_000, 8_000, 10_000])
@pytest.mark.parametrize("alone", [True, False], ids=["path_alone", "whole"])
def test_latency_at_a_pace(rate: int, alone: bool, tmp_path: Path) -> None:
    """Mixed messages at a fixed pace over 2,000 connections: time from frame to durable answer, and the rate that was reached.

    Once over the path that the bar lists, in a process that runs no program, and once with every program in the same process.
    In the same minute, what no such path can beat on this machine: our transport alone, a bare `websockets` echo, and one
    fdatasync after another.
    """
    pace: dict[str, Any] = {"payload": "mixed", "connections": 2000, "seconds": 10, "rate": rate}
    with transport("picows") as bare:
        floor = bare.load(**pace)
    with peer("echo") as echo:
        theirs = echo.load(**pace)
    disk = fdatasync_ms(tmp_path / "floor")
    with chargewatch(tmp_path / "data", alone=alone) as ours:
        run = ours.load(**pace)
    say(
        f"latency_{'path' if alone else 'whole'}_at_{rate}_per_s", reached_per_s=run["messages_per_s"], **run,
        p99_times_transport=round(run["p99_ms"] / floor["p99_ms"], 2), p99_times_echo=round(run["p99_ms"] / theirs["p99_ms"], 2),
        floors={"fdatasync_ms": disk, "transport": _latency(floor), "websockets_echo": _latency(theirs)},
    )  # fmt: skip
    assert run["errors"] == 0


def _latency(run: dict[str, Any]) -> dict[str, Any]:
    return {name: run[name] for name in ("messages_per_s", "p50_ms", "p99_ms", "max_ms", "cpu_us_per_message")}


def fdatasync_ms(path: Path, times: int = 500) -> dict[str, float]:
    """p50 and p99 of appending 20 kB, as a commit at this pace does, and waiting for the disk."""
    taken = []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(bytes(20_000))
            os.fdatasync(file.fileno())
            taken.append(1000 * (time.perf_counter() - began))
    taken.sort()
    return {"p50": round(taken[times // 2], 2), "p99": round(taken[times * 99 // 100], 2)}
