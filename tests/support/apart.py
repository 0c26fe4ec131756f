"""The platform with its programs in processes of their own, as the stack runs them: a collector, three programs, a PostgreSQL."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.platform import START_TIMEOUT_S, RunningPlatform
from tests.support.postgres import Postgres
from tests.support.servers import free_port

PROGRAMS = ("alerts", "firmware", "billing")


class ProgramApart:
    """`chargewatch run PROGRAM`. `kill()` is kill -9."""

    def __init__(self, name: str, config: Path, data: Path, port: int) -> None:
        self.name, self.output = name, list[str]()
        self.port = port
        self._command = [
            sys.executable, "-W", "error", "-m", "chargewatch", "run", name, "--config", str(config), "--data", str(data),
            "--listen", f"127.0.0.1:{port}",
        ]  # fmt: skip

    def launch(self) -> None:
        """Start, and wait for nothing."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process,))
        self._reader.start()

    def start(self) -> None:
        """Start, and wait until it listens."""
        self.launch()
        self.is_ready()

    def is_ready(self) -> None:
        """Wait until it listens."""
        if not self._ready.wait(START_TIMEOUT_S) or self.process.poll() is not None:
            self.process.kill()
            raise AssertionError(f"{self.name} is not ready; it said:\n" + "".join(self.output))

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self.output.append(line)
                if "listening on" in line:
                    self._ready.set()
        self._ready.set()

    def says(self, text: str) -> None:
        """Wait until it has said so since the test began."""
        for _ in range(600):
            if any(text in line for line in self.output):
                return
            time.sleep(0.1)
        raise AssertionError(f"{self.name} does not say {text!r}; it said:\n" + "".join(self.output))

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._ended(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9."""
        self._ended(signal.SIGKILL)

    def _ended(self, number: int) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(15)
        self._reader.join(15)
        return code


class PlatformApart(RunningPlatform):
    """The collector (`api`, `cli`, `url` are its) and its `programs`. A context manager."""

    def __init__(self, folder: Path, postgres: Postgres, *options: str) -> None:
        self.door = free_port()
        ports = {name: free_port() for name in PROGRAMS}
        config = folder / "chargewatch.toml"
        urls = "".join(f'{name}_url = "http://127.0.0.1:{port}"\n' for name, port in ports.items())
        config.write_text(
            f'[sql]\nurl = "{postgres.database()}"\n\n[programs]\n{urls}collector_url = "http://127.0.0.1:{self.door}"\n'
            f'listen = "127.0.0.1:{self.door}"\ntoken = "{secrets.token_urlsafe(24)}"\n\n[billing]\nplug_out_wait_s = 0\n',
            encoding="utf-8",
        )
        super().__init__(folder / "data", "--config", str(config), *options)
        self.programs = {name: ProgramApart(name, config, folder / name, port) for name, port in ports.items()}

    def __enter__(self) -> PlatformApart:
        """All of them at once, as after a power cut: the programs wait for the collector."""
        for program in self.programs.values():
            program.launch()
        self.start()
        for program in self.programs.values():
            program.is_ready()
        return self

    def __exit__(self, *exception: object) -> None:
        for program in self.programs.values():
            if program.process.poll() is None:
                program.stop()
        super().__exit__(*exception)

    def well(self) -> None:
        """Wait until every check of the platform and its programs is well."""
        for _ in range(300):
            health = self.api("GET", "/api/v1/health")
            if health["status"] == "ok":
                return
            time.sleep(0.1)
        raise AssertionError([each for each in health["checks"] if not each["ok"]])
