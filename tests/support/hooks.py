"""A stranger's receiver of signed webhooks: verifies with the PyPI `standardwebhooks`, answers as told, remembers what came."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

from tests.support.servers import free_port

SECRET = "whsec_" + "c2VjcmV0LW9mLWEtc3RyYW5nZXIh" * 2


class Hook:
    """One receiver on a port of its own. `answers` has the statuses of the next requests; when it is empty, 204."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.answers: list[int] = []
        self.heard: list[tuple[str, dict[str, Any]]] = []
        """(webhook-id, data) of every request whose signature was right."""
        self.taken: list[tuple[str, dict[str, Any]]] = []
        """Of those that were answered with 2xx."""
        self.faults: list[str] = []
        self.hold: threading.Event | None = None
        """Set: requests are read, and not answered before this."""
        self._changed = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def told(self) -> list[tuple[str, str]]:
        """(status, title) of what was taken."""
        return [(data["status"], data["title"]) for _, data in self.taken]

    def until(self, true: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Wait until something that came makes it true."""
        with self._changed:
            assert self._changed.wait_for(true, timeout_s), f"heard {[(each['status'], each['title']) for _, each in self.heard]}"
        assert self.faults == []

    def came(self, headers: dict[str, str], body: bytes) -> int:
        """One request; the status to answer."""
        with self._changed:
            try:
                Webhook(SECRET).verify(body, headers)
            except Exception as error:
                self.faults.append(f"{type(error).__name__}: {error}")
                return 401
            event = headers["webhook-id"], json.loads(body)["data"]
            self.heard.append(event)
            self._changed.notify_all()
        if self.hold is not None:
            self.hold.wait(60)
        with self._changed:
            status = self.answers.pop(0) if self.answers else 204
            if status < 300:
                self.taken.append(event)
            self._changed.notify_all()
        return status


@contextmanager
def hook(port: int | None = None) -> Iterator[Hook]:
    """A receiver that listens; its faults fail the test at the end."""
    receiver = Hook(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.came({name.lower(): value for name, value in self.headers.items()}, body)
            try:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()
            except OSError:
                return  # whoever asked is gone

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        if receiver.hold is not None:
            receiver.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
    assert receiver.faults == []
