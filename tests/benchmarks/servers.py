"""Servers under measurement, each a process of its own pinned to one core: their CPU time, memory and life."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.accounted_books import balance, spent_between
from tests.benchmarks.load import BEGIN

SERVER_CORE, LOAD_CORE = "0", "1"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """A running server."""

    def __init__(
        self, name: str, port: int, process: subprocess.Popen[bytes], http_port: int = 0, books: Path | None = None
    ) -> None:
        self.name, self.port, self.process, self.http_port, self._books = name, port, process, http_port, books

    def cpu_s(self) -> float:
        """User and system CPU seconds of the process, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_bytes(self) -> int:
        """Resident set size."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def load(self, **options: Any) -> dict[str, Any]:
        """Run tests.benchmarks.load against it; adds `cpu_us_per_message` of the server.

        Counted from the first message (connecting is another benchmark) until the server has nothing left to do: what it
        puts off until after the reply is part of the price.
        """
        arguments = [text for key, value in options.items() for text in (f"--{key}", str(value))]
        command = ["taskset", "-c", LOAD_CORE, sys.executable, "-m", "tests.benchmarks.load", "--port", str(self.port), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == BEGIN
            before, _ = self.used()
            result: dict[str, Any] = json.loads(process.stdout.readlines()[-1])
        self._settle()
        after, longest = self.used()
        spent = spent_between(before, after)
        messages = max(1, result["answered"])
        per_message = {name: round(seconds / messages * 1e6, 1) for name, seconds in spent.items()}
        return {
            "server": self.name,
            **result,
            "cpu_us_per_message": per_message.pop("all"),
            **({"books": per_message, "longest_ms": longest} if per_message else {}),
        }

    def used(self) -> tuple[dict[str, float], dict[str, float]]:
        """CPU seconds so far under "all", and by payer where the server keeps books; then its longest steps in milliseconds."""
        if self._books is None:
            return {"all": self.cpu_s()}, {}
        self._books.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        while not self._books.exists():
            time.sleep(0.005)
        state = json.loads(self._books.read_text())
        return balance(state), {name: round(seconds * 1000, 1) for name, seconds in state["longest"].items()}

    def _settle(self) -> None:
        """Wait until the server is as good as idle: below a tenth of a core over half a second."""
        used = self.cpu_s()
        for _ in range(60):
            time.sleep(0.5)
            before, used = used, self.cpu_s()
            if used - before < 0.05:
                return


@contextmanager
def peer(kind: str) -> Iterator[Served]:
    """`ocpp` or `echo` of tests.benchmarks.peers."""
    port = free_port()
    with _running(kind, port, [sys.executable, "-m", "tests.benchmarks.peers", kind, str(port)]) as served:
        yield served


@contextmanager
def transport(adapter: str, *papers: str) -> Iterator[Served]:
    """One transport of tests.benchmarks.transport_server; with certificate and key, over TLS."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.transport_server", adapter, str(port), *papers]
    with _running(adapter, port, command) as served:
        yield served


@contextmanager
def chargewatch(data: Path, *options: str, books: Path | None = None, alone: bool = False) -> Iterator[Served]:
    """`chargewatch up` on a fresh folder; with `books`, each run tells who used the CPU (tests.benchmarks.accounted).

    `alone`: the bar's path without any program beside it (tests.benchmarks.path_alone).
    """
    port, http_port = free_port(), free_port()
    if books is None:
        program = ["tests.benchmarks.path_alone" if alone else "chargewatch"]
    else:
        program = ["tests.benchmarks.accounted", str(books), *(["alone"] if alone else [])]
    addresses = ["--ocpp", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{http_port}"]
    command = [sys.executable, "-m", *program, "up", "--data", str(data), *addresses, *options]
    with _running("chargewatch", port, command, http_port, books) as served:
        yield served


@contextmanager
def _running(name: str, port: int, command: list[str], http_port: int = 0, books: Path | None = None) -> Iterator[Served]:
    process = subprocess.Popen(["taskset", "-c", SERVER_CORE, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        if http_port:
            _wait_for(http_port, process)
        yield Served(name, port, process, http_port, books)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not listen on {port} within 90 s (exit code {process.poll()})")
