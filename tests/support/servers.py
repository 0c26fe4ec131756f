"""Real servers for contract tests: is it installed, start it as a child process on a free port, wait until ready, stop it.

`@pytest.mark.server("influxdb")` (or `require_server("influxdb")` inside a fixture) skips a test when the server is not
installed, with a reason that names `make servers`, and fails it when CI=true: what CI does not run, nobody runs.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import IO

import pytest

EXECUTABLES: dict[str, tuple[str, ...]] = {
    "influxdb": ("influxd",),
    "postgresql": ("postgres", "/usr/lib/postgresql/*/bin/postgres"),
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
    "nats": ("nats-server",),
    "curl": ("curl",),
}
"""Server → names on PATH, then glob patterns, of the program that it takes."""


def find_server(name: str) -> Path | None:
    """The program of a server, or None when it is not installed."""
    for candidate in EXECUTABLES[name]:
        if candidate.startswith("/"):
            found = sorted(Path("/").glob(candidate.lstrip("/")), reverse=True)
            if found:
                return found[0]
        elif path := shutil.which(candidate):
            return Path(path)
    return None


def require_server(name: str) -> Path:
    """The program of a server. Absent: the test is skipped, or fails when CI=true."""
    path = find_server(name)
    if path is not None:
        return path
    reason = f"{name} is not installed: `make servers` installs it"
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)


def in_ci() -> bool:
    """True where nothing may be skipped."""
    return os.environ.get("CI") == "true"


def _ports() -> Iterator[int]:
    """Each of them once, in an order of this process; those of parallel test processes do not overlap.

    They lie below the range from which the kernel gives ports to outgoing connections: one of these could take a port that was free
    a moment ago before its server does. Eight apart: a demo takes the ones that follow, too.
    """
    mine = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    of = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports = list(range(12_000 + 8 * mine, 32_000, 8 * of))
    random.Random(os.getpid()).shuffle(ports)  # test runs beside each other should rarely try the same
    return cycle(ports)


_PORTS = _ports()


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    for port in islice(_PORTS, 2_500):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port from 12,000 to 32,000 is free")


def answers(url: str) -> Callable[[], bool]:
    """A readiness check: GET `url` gives a 2xx."""

    def check() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return bool(200 <= response.status < 300)
        except (urllib.error.URLError, OSError):
            return False

    return check


def listens(port: int) -> Callable[[], bool]:
    """A readiness check: something accepts TCP connections on the loopback port."""

    def check() -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return check


class ChildServer:
    """A server as a child process, that can be stopped and started again on the same port and folder. A context manager.

    `user`: run as this system user (PostgreSQL refuses root). Output goes to `<folder>/<program>.log`.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        ready: Callable[[], bool],
        timeout_s: float = 30.0,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.argv = [str(argument) for argument in argv]
        self.folder = folder
        self.log = folder / f"{Path(self.argv[0]).name}.log"
        self._ready, self._timeout_s, self._user, self._stop_signal = ready, timeout_s, user, stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Start and wait until ready; raises with the end of its log when it is not in time."""
        assert self._process is None, "already running"
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(
            self.argv, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=self._output, stderr=self._output, user=self._user
        )
        deadline = time.monotonic() + self._timeout_s
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                code = self._process.poll()
                self.stop()
                tail = self.log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.argv[0]} is not ready (exit code {code}): {tail}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ask it to stop, then make it. Stopping a stopped server is allowed."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(self._stop_signal)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None

    def kill(self) -> None:
        """kill -9: no goodbye."""
        assert self._process is not None, "the server is not running"
        self._process.kill()
        self.stop()

    def __enter__(self) -> ChildServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
