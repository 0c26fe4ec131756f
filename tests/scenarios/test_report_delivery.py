"""A scheduled report reaches people by e-mail and machines by a signed webhook: a real SMTP server, a stranger's receiver."""

from __future__ import annotations

import email
import threading
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from tests.support.hooks import SECRET, Hook, hook
from tests.support.platform import RunningPlatform
from tests.support.servers import free_port

ALERTS = """
[route]
receivers = ["nobody"]

[[route.routes]]
match = ["receiver=managers"]
receivers = ["managers", "archive"]
group_wait_s = 0

[receivers.nobody]
type = "webhook"
url = "http://127.0.0.1:{unused}/"
secret = "{secret}"

[receivers.archive]
type = "webhook"
url = "{hook}"
secret = "{secret}"

[receivers.managers]
type = "email"
smtp = "127.0.0.1:{smtp}"
tls = "none"
from = "reports@network.example"
to = ["boss@network.example"]
"""
CONFIG = "[alerts]\nallow_private_addresses = true\n"


class Mailbox:
    """An SMTP server's other end."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self._came = threading.Condition()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        with self._came:
            self.mails.append(email.message_from_bytes(envelope.content))
            self._came.notify_all()
        return "250 kept"

    def until(self, count: int) -> None:
        """Wait for mails."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.mails) >= count, 60), f"{len(self.mails)} mails"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    """A mail server on a free port."""
    made, port = Mailbox(), free_port()
    server = Controller(made, hostname="127.0.0.1", port=port)
    server.start()
    yield made, port
    server.stop()


def test_a_report_is_mailed_and_told_to_a_webhook(tmp_path: Path, mailbox: tuple[Mailbox, int]) -> None:
    """The mail has the file; the webhook is signed, names it, and its receiver fetches the very same bytes with a viewer's key."""
    box, smtp = mailbox
    config, data = tmp_path / "chargewatch.toml", tmp_path / "data"
    config.write_text(CONFIG)
    data.mkdir()
    with hook() as archive:
        text = ALERTS.format(unused=free_port(), hook=archive.url, smtp=smtp, secret=SECRET)
        (data / "alerts.toml").write_text(text)
        with RunningPlatform(data, "--config", str(config)) as platform:
            _told(platform, box, archive)


def _told(platform: RunningPlatform, box: Mailbox, archive: Hook) -> None:
    for kind, form, every in (("utilization", "pdf", "week"), ("nevi", "csv", "quarter")):
        body = {"kind": kind, "format": form, "every": every, "receiver": "managers"}
        platform.api("PUT", f"/api/v1/reports/schedules/{kind}", json=body)
        platform.api("POST", f"/api/v1/reports/schedules/{kind}/deliver")
    box.until(2)
    archive.until(lambda: len(archive.taken) >= 2)
    parts = [(part.get_filename(), part.get_payload(decode=True)) for mail in box.mails for part in mail.walk()]
    files = {name: body for name, body in parts if name is not None and isinstance(body, bytes)}
    assert [name.split("-")[0] for name in sorted(files)] == ["nevi", "utilization"]
    [pdf] = [body for name, body in files.items() if name.endswith(".pdf")]
    [table] = [body for name, body in files.items() if name.endswith(".csv")]
    assert pdf.startswith(b"%PDF") and b"uptime_reporting_start" in table
    key = platform.api("POST", "/api/v1/keys", json={"name": "archive", "role": "viewer"})["secret"]
    base = f"http://127.0.0.1:{platform.http_port}"
    fetched = {}
    for _, told in archive.taken:
        [item] = told["items"]
        [attached] = told["attachments"]
        answer = httpx.get(f"{base}{item['details']['download']}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert answer.status_code == 200
        fetched[attached["name"]] = answer.content
    assert fetched == files
    for wrong in ("nothing.pdf", "alerts.toml", "..%2Falerts.toml", "chargewatch.sqlite"):
        answer = httpx.get(f"{base}/api/v1/reports/delivered/{wrong}", headers={"Authorization": f"Bearer {key}"}, timeout=30)
        assert answer.status_code in (404, 422), wrong
