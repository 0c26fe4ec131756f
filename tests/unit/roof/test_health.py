"""The health check of a container."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from chargewatch import health

SECRET = "token-of-the-probe"


class Probe(BaseHTTPRequestHandler):
    """Well for whoever carries the token, on /readyz; 503 elsewhere."""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == f"Bearer {SECRET}"
        self.send_response(401 if not allowed else 200 if self.path == "/readyz" else 503)
        self.end_headers()
        self.wfile.write(b"journal: the disk is full" if allowed else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def base() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Probe) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_well_is_0_and_not_well_says_why(base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, 1 with the probe's own words, 1 without the token, 1 where nobody answers, 2 for wrong arguments."""
    token = tmp_path / "token"
    token.write_text(SECRET + "\n")
    assert health.main([f"{base}/readyz", str(token)]) == 0
    assert health.main([f"{base}/other", str(token)]) == 1
    assert "503: journal: the disk is full" in capsys.readouterr().err
    assert health.main([f"{base}/readyz"]) == 1
    assert health.main([f"{base}/readyz", str(tmp_path / "none")]) == 1
    assert health.main(["http://127.0.0.1:1/"]) == 1
    assert health.main(["file:///etc/passwd"]) == 1
    assert health.main([]) == 2
    assert SECRET not in capsys.readouterr().err
