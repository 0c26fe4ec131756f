"""A real InfluxDB for tests, with the v2 write endpoint in front of it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.servers import ChildServer, answers, free_port, require_server

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
    """A running influxd, its port and its process (`server.stop()` and `server.start()` make an outage)."""

    def __init__(self, server: ChildServer, port: int) -> None:
        self.server, self.port = server, port

    def ask(self, question: str, database: str = "") -> list[dict[str, Any]]:
        """InfluxQL, past the product: the results."""
        data = urllib.parse.urlencode({"q": question, "db": database}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/query", data=data, timeout=30) as response:
            results: list[dict[str, Any]] = json.load(response)["results"]
            return results


@contextmanager
def influxd(folder: Path) -> Iterator[Influx]:
    """Start influxd in `folder` on free ports; skips the test where it is not installed."""
    program = require_server("influxdb")
    http, rpc = free_port(), free_port()
    (folder / "influxd.conf").write_text(CONFIG.format(folder=folder, http=http, rpc=rpc))
    ready = answers(f"http://127.0.0.1:{http}/ping")
    with ChildServer([program, "-config", folder / "influxd.conf"], folder=folder, ready=ready) as server:
        yield Influx(server, http)
