"""A test-only door in front of a real InfluxDB: it shows tests what was asked, and refuses requests as a failing server would.

For a 1.6, which lacks the v2 write endpoint, it stands in for that: /api/v2/write → /write. Errors keep their meaning: status and
text are InfluxDB's own, in v2's {"code", "message"}. Everything else, and everything that is for a 2.x, is passed on as it is.
"""

from __future__ import annotations

import gzip
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from tests.support.influx import Influx

CODES = {400: "invalid", 401: "unauthorized", 404: "not found", 413: "request too large", 429: "too many requests"}
CARRIED = ("Authorization", "Content-Type", "Content-Encoding", "Accept")


@dataclass
class ShimLog:
    """What the shim saw, and the answers it gives instead of the server's (each once, in order)."""

    port: int
    paths: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    failing_from: int | None = None
    """From this write request on (counted from 1), the server is down."""
    writes: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def shim(influx: Influx, port: int = 0) -> Iterator[ShimLog]:
    """Serve on `port` in front of the InfluxDB."""

    class Handler(_Handler):
        upstream, speaks_v2 = influx.url, influx.speaks_v2

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    log = Handler.log = ShimLog(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    upstream: ClassVar[str]
    speaks_v2: ClassVar[bool]
    log: ClassVar[ShimLog]
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, body: bytes | None) -> None:
        self.log.paths.append(self.path)
        self.log.authorizations.append(self.headers.get("Authorization"))
        path, _, query = self.path.partition("?")
        if path != "/api/v2/write":
            self._answer(*self._pass_on(body))
            return
        self.log.writes += 1
        if self.log.failing_from is not None and self.log.writes >= self.log.failing_from:
            self._answer(503, {}, b'{"code": "unavailable", "message": "down"}')
            return
        if self.log.refusals:
            status, headers, message = self.log.refusals.pop(0)
            self._answer(status, headers, json.dumps({"code": CODES.get(status, "error"), "message": message}).encode())
            return
        self._answer(*(self._pass_on(body) if self.speaks_v2 else self._write_v1(query, body or b"")))

    def _pass_on(self, body: bytes | None) -> tuple[int, dict[str, str], bytes]:
        return _ask(f"{self.upstream}{self.path}", body, self._carried())

    def _write_v1(self, query: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked = dict(urllib.parse.parse_qsl(query))
        text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        v1 = urllib.parse.urlencode({"db": asked["bucket"], "precision": asked.get("precision", "ns")})
        status, headers, answer = _ask(f"{self.upstream}/write?{v1}", text, {})
        if status >= 300:
            message = json.loads(answer)["error"]
            answer = json.dumps({"code": CODES.get(status, "internal error"), "message": message}).encode()
        return status, headers, answer

    def _carried(self) -> dict[str, str]:
        """What the request says of itself, as far as a 2.x wants to know; a 1.6 without users wants nothing."""
        return {name: self.headers[name] for name in CARRIED if self.speaks_v2 and name in self.headers}

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests look at ShimLog."""


def _ask(url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, data=body, headers=headers, method="GET" if body is None else "POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, _kind(response.headers), response.read()
    except urllib.error.HTTPError as error:
        return error.code, _kind(error.headers), error.read()
    except (urllib.error.URLError, OSError) as error:
        return 503, {"Content-Type": "application/json"}, json.dumps({"error": str(error)}).encode()


def _kind(headers: Message) -> dict[str, str]:
    return {"Content-Type": headers.get("Content-Type", "application/json")}
