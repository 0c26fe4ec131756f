"""A test-only stand-in for the v2 write endpoint in front of a real InfluxDB 1.6, which lacks it: /api/v2/write → /write.

Errors keep their meaning: status and text are InfluxDB's own, in v2's {"code", "message"}. Everything else is passed on as it is.
`ShimLog` shows tests what was asked, and lets them refuse requests as a failing server would.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

CODES = {400: "invalid", 401: "unauthorized", 404: "not found", 413: "request too large", 429: "too many requests"}


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
def shim(server_port: int, port: int = 0) -> Iterator[ShimLog]:
    """Serve on `port` in front of the InfluxDB at `server_port`."""

    class Handler(_Handler):
        upstream = f"http://127.0.0.1:{server_port}"

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
    log: ClassVar[ShimLog]
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self._serve(body)

    def _serve(self, body: bytes | None) -> None:
        self.log.paths.append(self.path)
        self.log.authorizations.append(self.headers.get("Authorization"))
        path, _, query = self.path.partition("?")
        if path != "/api/v2/write":
            self._answer(*_ask(f"{self.upstream}{self.path}", body))
            return
        self.log.writes += 1
        if self.log.failing_from is not None and self.log.writes >= self.log.failing_from:
            self._answer(503, {}, b'{"code": "unavailable", "message": "down"}')
            return
        if self.log.refusals:
            status, headers, message = self.log.refusals.pop(0)
            self._answer(status, headers, json.dumps({"code": CODES.get(status, "error"), "message": message}).encode())
            return
        asked = dict(urllib.parse.parse_qsl(query))
        v1 = urllib.parse.urlencode({"db": asked["bucket"], "precision": asked.get("precision", "ns")})
        status, headers, answer = _ask(f"{self.upstream}/write?{v1}", body)
        if status >= 300:
            message = json.loads(answer)["error"]
            answer = json.dumps({"code": CODES.get(status, "internal error"), "message": message}).encode()
        self._answer(status, headers, answer)

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


def _ask(url: str, body: bytes | None) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(url, data=body, method="GET" if body is None else "POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, {"Content-Type": "application/json"}, response.read()
    except urllib.error.HTTPError as error:
        return error.code, {"Content-Type": "application/json"}, error.read()
    except (urllib.error.URLError, OSError) as error:
        return 503, {"Content-Type": "application/json"}, json.dumps({"error": str(error)}).encode()
