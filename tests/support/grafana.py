"""A stand-in for Grafana's HTTP API that holds requests to its documentation, and keeps boards as Grafana keeps them.

Documented in "Dashboard API" and "Folder HTTP API": methods, paths, headers, the fields of each body and of each answer.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOKEN = "glsa_secret"
DASHBOARD_BODY = {"dashboard", "folderUid", "message", "overwrite"}
FOLDER_BODY = {"uid", "title"}
MAX_UID = 40


@dataclass
class FakeGrafana:
    """What it holds, and what it was asked."""

    port: int = 0
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    folder_of: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What a request did against the documentation."""
    absent: int = 403
    """What it says of a folder or a board that is not there: 403 to an Editor, who has no right to what does not exist; 404 to an
    Admin. So did a Grafana 10.0."""
    failing: tuple[int, str | bytes] | None = None
    """Status and body of every answer from now on."""
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer."""
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def writes(self) -> int:
        """How many requests changed something."""
        return sum(method != "GET" for method, _ in self.asked)


@contextmanager
def grafana(tls: ssl.SSLContext | None = None) -> Iterator[FakeGrafana]:
    """Serve on a free port."""

    class Handler(_Handler):
        state = FakeGrafana()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        # Shaking hands is left to the thread of a connection.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Handler.state.scheme = "https"
    Handler.state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Handler.state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: ClassVar[FakeGrafana]
    protocol_version = "HTTP/1.1"
    timeout = 5
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.headers.get("Content-Type", "").startswith("application/json"):
            self.state.faults.append("a body without Content-Type: application/json")
        self._serve(json.loads(raw))

    def _serve(self, body: dict[str, Any] | None) -> None:
        self.state.asked.append((self.command, self.path))
        if self.headers.get("Accept") != "application/json":
            self.state.faults.append("no Accept: application/json")
        if self.state.failing is not None:
            status, text = self.state.failing
            self._answer(status, text.encode() if isinstance(text, str) else text)
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._say(401, {"message": "Invalid API key"})
        else:
            self._route(body)

    def _route(self, body: dict[str, Any] | None) -> None:
        match (self.command, self.path.split("/")[1:]):
            case ("GET", ["api", "folders", uid]):
                known = uid in self.state.folders
                self._say(*((200, {"uid": uid, "title": self.state.folders[uid]}) if known else self._nothing("folders:read")))
            case ("POST", ["api", "folders"]) if body is not None:
                self._fields(body, FOLDER_BODY)
                self.state.folders[body["uid"]] = body["title"]
                self._say(200, {"id": 1, "uid": body["uid"], "title": body["title"], "version": 1})
            case ("GET", ["api", "dashboards", "uid", uid]):
                self._get_board(uid)
            case ("POST", ["api", "dashboards", "db"]) if body is not None:
                self._put_board(body)
            case _:
                self.state.faults.append(f"{self.command} {self.path} is not in the documentation")
                self._say(404, {"message": "Not found"})

    def _get_board(self, uid: str) -> None:
        if uid not in self.state.boards:
            self._say(*self._nothing("dashboards:read"))
            return
        meta = {"folderUid": self.state.folder_of[uid], "slug": uid, "url": f"/d/{uid}", "provisioned": False}
        self._say(200, {"dashboard": self.state.boards[uid], "meta": meta})

    def _nothing(self, right: str) -> tuple[int, dict[str, Any]]:
        message = f"You'll need additional permissions to perform this action. Permissions needed: {right}"
        return self.state.absent, {"message": message if self.state.absent == 403 else "not found"}

    def _put_board(self, body: dict[str, Any]) -> None:
        self._fields(body, DASHBOARD_BODY)
        board = body["dashboard"]
        if board.get("id", 0) is not None:
            self.state.faults.append("dashboard.id must be null for a board that is named by its uid")
        if len(board["uid"]) > MAX_UID or not board.get("title"):
            self.state.faults.append("uid has 40 characters at most, and a title is needed")
        if body["folderUid"] not in self.state.folders:
            self._say(400, {"message": "folder not found"})
            return
        before = self.state.boards.get(board["uid"])
        if before is not None and not body["overwrite"]:
            self._say(412, {"status": "version-mismatch", "message": "The dashboard has been changed by someone else"})
            return
        version = before["version"] + 1 if before else 1
        self.state.boards[board["uid"]] = {**board, "id": 7, "version": version}
        self.state.folder_of[board["uid"]] = body["folderUid"]
        self._say(200, {"id": 7, "uid": board["uid"], "url": f"/d/{board['uid']}", "status": "success", "version": version})

    def _fields(self, body: dict[str, Any], known: set[str]) -> None:
        if unknown := set(body) - known:
            self.state.faults.append(f"{self.path}: unknown fields {sorted(unknown)}")

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        self._answer(status, json.dumps(answer).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.state.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests look at `asked`."""
