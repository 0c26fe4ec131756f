"""The platform as a process of its own: started, killed and restarted as an operator (or a power cut) would."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.support.servers import free_port

START_TIMEOUT_S = 90


def not_settled(health: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks of `/api/v1/health` that say: something that was heard is not yet in the journal, or not yet in a read model.

    Heartbeats leave no record, so their answers come before what was said just before them is durable.
    """
    return [
        check for check in health["checks"]
        if "records waiting" in check["detail"] or ("records behind" in check["detail"] and not check["detail"].startswith("0 "))
    ]  # fmt: skip


class RunningPlatform:
    """`chargewatch up` on a folder, on free loopback ports. A context manager; `kill()` is kill -9."""

    def __init__(self, data: Path, *options: str) -> None:
        self.data, self.options = data, options
        self.ocpp_port, self.http_port = free_port(), free_port()
        self.output: list[str] = []
        self.key = ""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> RunningPlatform:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()

    @property
    def url(self) -> str:
        """Where charge points connect."""
        return f"ws://127.0.0.1:{self.ocpp_port}/ocpp"

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the platform was never started"
        return self._process

    def start(self) -> float:
        """Start and wait until both listeners are announced; returns how many seconds that took."""
        began = time.monotonic()
        addresses = ["--ocpp", f"127.0.0.1:{self.ocpp_port}", "--http", f"127.0.0.1:{self.http_port}"]
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "chargewatch", "up", "--data", str(self.data), *addresses, *self.options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._ready, self._listeners = threading.Event(), 0
        first = len(self.output)
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        self._ready.wait(START_TIMEOUT_S)
        if self._listeners < 2:
            self._process.kill()
            self._ended(10)
            raise AssertionError("not ready; it said:\n" + "".join(self.output[first:]))
        return time.monotonic() - began

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if found := re.search(r"admin key: (\S+)", line):
                    self.key = found[1]
                self._listeners += "listening" in line
                if self._listeners == 2:
                    self._ready.set()
        self._ready.set()  # it ended, perhaps before it was ready

    def stop(self) -> int:
        """SIGTERM; the exit code. Fails after 15 s."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended(15)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._ended(10)

    def _ended(self, timeout_s: float) -> int:
        code = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return code

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Call the API with the admin key; JSON out, an error status fails the test."""
        response = httpx.request(
            method,
            f"http://127.0.0.1:{self.http_port}{path}",
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=30,
            **options,
        )
        assert response.status_code < 400, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.headers.get("content-type", "").startswith("application/json") else response.text

    def lists(self, text: str) -> None:
        """Wait until the list of charge points says `text`: it may be a second behind their frames."""
        for _ in range(300):
            shown = json.dumps(self.api("GET", "/api/v1/charge-points"))
            if text in shown:
                return
            time.sleep(0.1)
        raise AssertionError(f"{text} is not in {shown}")

    def cli(self, *arguments: str) -> Any:
        """Run a command against this folder with --json."""
        done = subprocess.run(
            [sys.executable, "-m", "chargewatch", *arguments, "--data", str(self.data), "--json"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}: {done.stderr}"
        return json.loads(done.stdout)
