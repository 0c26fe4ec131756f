"""Connections of each transport: a storm of them, and what an idle one costs. Also CPU time per echoed message.

Only the transport and a listener of one slot are measured. Deflate is offered and agreed; each connection has sent one MeterValues
and had its answer before its memory is read.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from collector.transport.choose import TRANSPORTS
from tests.benchmarks.servers import LOAD_CORE, Served, peer, transport
from tests.benchmarks.tls import papers

CONNECTIONS, TLS_CONNECTIONS = 10_000, 2_000


def storm(server: Served, count: int, *ca: str) -> dict[str, Any]:
    """Connect, measure CPU; say one thing, measure memory."""
    memory_before, cpu_before = server.memory_bytes(), server.cpu_s()
    command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "tests.benchmarks.storm", str(server.port), str(count), *ca]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
        assert load.stdin is not None
        assert load.stdout is not None
        connected = json.loads(load.stdout.readline())
        cpu_s = server.cpu_s() - cpu_before
        load.stdin.write(b"\n")
        load.stdin.flush()
        answered = json.loads(load.stdout.readline())
        time.sleep(0.5)
        memory = server.memory_bytes() - memory_before
        load.stdin.write(b"\n")
        load.stdin.flush()
        answered_large = json.loads(load.stdout.readline())
        time.sleep(0.5)
        memory_after_large = server.memory_bytes() - memory_before
        load.stdin.close()
    return {
        "transport": server.name, "connections": connected["connected"], "failed": connected["failed"],
        "connects_per_s": round(count / connected["seconds"]), "connects_per_cpu_s": round(count / max(cpu_s, 0.01)),
        "cpu_us_per_connect": round(cpu_s / count * 1e6), "kib_per_connection": round(memory / count / 1024, 1),
        "kib_after_a_60_kb_message": round(memory_after_large / count / 1024, 1), "answered": answered["answered"],
        "answered_large": answered_large["answered"],
    }  # fmt: skip


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("adapter", TRANSPORTS)
def test_connections(adapter: str) -> None:
    """10,000 connections at once: accepted without loss; what each cost to connect and costs to keep."""
    with transport(adapter) as server:
        result = storm(server, CONNECTIONS)
    print("\n" + json.dumps({"benchmark": "connections", **result}))
    assert (result["failed"], result["answered"], result["answered_large"]) == (0, CONNECTIONS, CONNECTIONS)


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("adapter", TRANSPORTS)
def test_connections_over_tls(adapter: str, tmp_path: Path) -> None:
    """2,000 TLS connections (ECDSA P-256, TLS 1.3), one after the other."""
    certificate, authority = papers(tmp_path)
    with transport(adapter, str(certificate), str(certificate)) as server:
        result = storm(server, TLS_CONNECTIONS, str(authority))
    print("\n" + json.dumps({"benchmark": "connections_tls", **result}))
    assert (result["failed"], result["answered"], result["answered_large"]) == (0, TLS_CONNECTIONS, TLS_CONNECTIONS)


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize("payload", ["meter_values", "heartbeat"])
def test_echo(payload: str) -> None:
    """Closed loop over 200 connections, the transports and the bare `websockets` server in turns: CPU time per message."""
    with transport("picows") as picows, transport("websockets") as websockets, peer("echo") as bare:
        runs: dict[str, list[float]] = {}
        for seed in range(1, 4):
            for server in (picows, websockets, bare):
                run = server.load(seed=seed, payload=payload, connections=200, seconds=4)
                assert run["errors"] == 0
                runs.setdefault(server.name, []).append(run["cpu_us_per_message"])
    cpu_us = {name: median(found) for name, found in runs.items()}
    ratios = {name: round(cpu_us["echo"] / found, 2) for name, found in cpu_us.items()}
    result = {"payload": payload, "cpu_us_per_message": cpu_us, "times_bare_websockets": ratios}
    print("\n" + json.dumps({"benchmark": "echo", **result}))
