"""A real InfluxDB for tests: Debian's 1.6, or the 2.x that `TEST_INFLUXD2` names (tests/support/influx2.py).

Either way tests reach it through tests/support/influx_v2_shim.py, which gives 1.6 the v2 write endpoint and passes 2.x on as it is.
"""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chargenet.storage.influx import InfluxTarget
from tests.support.servers import ChildServer, answers, free_port, require_server

INFLUXD2 = "TEST_INFLUXD2"
"""Names the program of an InfluxDB 2.x. Debian has none, so that CI runs 1.6 and this is for a machine where somebody has one."""

CONFIG = """
reporting-enabled = false
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http}"
  log-enabled = false
[continuous_queries]
  enabled = false
"""


class Influx:
    """A running influxd, its port and its process (`server.stop()` and `server.start()` make an outage).

    `org` and `token` are what the product carries; `speaks_v2` says whether the server has the v2 API itself.
    """

    speaks_v2 = False

    def __init__(self, server: ChildServer, port: int, *, org: str = "", token: str = "the-token") -> None:
        self.server, self.port, self.org, self.token = server, port, org, token
        self.headers: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make(self, database: str) -> None:
        """An empty database, also where there was one; `token` opens it."""
        self.ask(f'DROP DATABASE "{database}"')
        self.ask(f'CREATE DATABASE "{database}"')

    def keep(self, database: str, days: int) -> None:
        """Points older than this are refused and dropped."""
        self.ask(f'ALTER RETENTION POLICY "autogen" ON "{database}" DURATION {days}d')

    def let_read(self, database: str, user: str, password: str) -> None:
        """A reader who logs in by HTTP's basic authentication. A 1.6 without users lets everybody read."""

    def target(self, url: str, database: str, **rest: Any) -> InfluxTarget:
        """How the product reaches the database through `url`."""
        return InfluxTarget(url=url, bucket=database, org=self.org, token=self.token, **rest)

    def ask(self, question: str, database: str = "") -> list[dict[str, Any]]:
        """InfluxQL, past the product: the results."""
        data = urllib.parse.urlencode({"q": question, "db": database}).encode()
        with self.open("/query", data) as response:
            results: list[dict[str, Any]] = json.load(response)["results"]
            return results

    def open(self, path: str, data: bytes | None = None, method: str | None = None) -> Any:
        """The answer of the server itself, as its owner."""
        request = urllib.request.Request(self.url + path, data=data, headers=self.headers, method=method)
        return urllib.request.urlopen(request, timeout=30)


@contextmanager
def influxd(folder: Path) -> Iterator[Influx]:
    """Start influxd in `folder` on free ports; skips the test where it is not installed."""
    if INFLUXD2 in os.environ:
        from tests.support.influx2 import influxd2

        with influxd2(folder) as newer:
            yield newer
        return
    program = require_server("influxdb")
    http, rpc = free_port(), free_port()
    (folder / "influxd.conf").write_text(CONFIG.format(folder=folder, http=http, rpc=rpc))
    ready = answers(f"http://127.0.0.1:{http}/ping")
    with ChildServer([program, "-config", folder / "influxd.conf"], folder=folder, ready=ready) as server:
        yield Influx(server, http)


def program_of_2() -> Path:
    """The influxd 2.x that the environment names; tests that need one are left out where it names none (tests/conftest.py)."""
    return Path(os.environ[INFLUXD2])
