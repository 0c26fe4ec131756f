"""The platform's services of docker-compose.yml without Docker: command lines, environments, secrets, health checks, on loopback.

All start at once, as after a power cut, and share one data folder.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from chargenet.settings.load import CONFIG_VARIABLE
from chargewatch import health
from tests.support.compose import PROGRAMS, platform_environment, services
from tests.support.rules import REPOSITORY
from tests.support.servers import ChildServer, free_port

START_TIMEOUT_S, ASKED_EVERY_S = 120.0, 0.2


class Stack:
    """Where each service is, and how it is asked."""

    def __init__(self, folder: Path, sql_url: str) -> None:
        self.folder, self._sql_url = folder, sql_url
        self.ocpp_port = free_port()
        self.ports = {"collector": free_port()} | {name: free_port() for name in PROGRAMS}
        """Where metrics and probes are."""
        self._services = services()
        self._doors = {"collector": free_port()} | {name: self.ports[name] for name in PROGRAMS}

    def replaced(self) -> dict[str, str]:
        """Names of the stack's network → addresses of this machine."""
        found = {f"{name}:8081": f"127.0.0.1:{port}" for name, port in self._doors.items()}
        return found | {"collector:8080": f"127.0.0.1:{self.ports['collector']}"}

    def server(self, name: str) -> ChildServer:
        """The service as a process of this machine."""
        given = platform_environment(self.folder, name)
        for old, new in self.replaced().items():
            given = {key: value.replace(old, new) for key, value in given.items()}
        given |= {
            CONFIG_VARIABLE: str(REPOSITORY / "deploy" / "config" / "chargewatch.toml"),
            "CHARGEWATCH_DATA_DIR": str(self.folder / "data"),
            "CHARGEWATCH_SQL_URL": self._sql_url,
            "CHARGEWATCH_PROGRAMS_LISTEN": f"127.0.0.1:{self._doors[name]}",
            "CHARGEWATCH_HTTP_OPEN_PROBES": "false",  # as where it does not listen on loopback
        }
        if name == "collector":
            given["CHARGEWATCH_COLLECTOR_OCPP"] = f"127.0.0.1:{self.ocpp_port}"
            given["CHARGEWATCH_HTTP_LISTEN"] = f"127.0.0.1:{self.ports[name]}"
        variables = [f"{key}={value}" for key, value in given.items() if "INFLUX" not in key]
        own = self.folder / name
        own.mkdir(exist_ok=True)
        line = ["env", *variables, sys.executable, "-W", "error", "-m", *self._services[name]["command"]]
        return ChildServer(line, folder=own, ready=lambda: self._well(name), timeout_s=START_TIMEOUT_S)

    def _well(self, name: str) -> bool:
        well = self.problem(name) == ""
        if not well:
            time.sleep(ASKED_EVERY_S)  # the processes that start need both cores
        return well

    def problem(self, name: str) -> str:
        """What the service's health check says, "" when it is well."""
        *_, url, token = self._services[name]["healthcheck"]["test"]
        path = re.fullmatch(r"http://127\.0\.0\.1:\d+(/\w+)", url)
        assert path is not None, url
        return health.ask(self.url(name, path[1]), (self.folder / Path(token).name).read_text().strip())

    def url(self, name: str, path: str) -> str:
        """Of a service's own listener."""
        return f"http://127.0.0.1:{self.ports[name]}{path}"

    def log(self, name: str) -> str:
        """What it said."""
        return (self.folder / name / "env.log").read_text()

    def api(self, path: str) -> Any:
        """GET with the first admin key, through the published port; an error status fails."""
        found = re.search(r"admin key: (\S+)", self.log("collector"))
        assert found is not None, self.log("collector")
        return httpx.get(self.url("collector", path), headers={"Authorization": f"Bearer {found[1]}"}).raise_for_status().json()


@contextmanager
def running(folder: Path, sql_url: str) -> Iterator[Stack]:
    """All four, well."""
    made = Stack(folder, sql_url)
    names = ("collector", *PROGRAMS)
    servers = [made.server(name) for name in names]
    with ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(ChildServer.start, servers))
        yield made
