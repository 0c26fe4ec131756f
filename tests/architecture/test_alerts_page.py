"""docs/alerts.md is the relay: its configs load, every key is on it, its receiver verifies us, its Alertmanager config is one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.config import parse
from alerts.config.model import WebhookReceiver
from alerts.config.reading import Table
from alerts.message import trial
from alerts.notifiers import webhook
from alerts.notifiers.http import Door
from alerts.notifiers.port import Result, deliver
from alerts.relay.rows import Outcome
from chargenet.clock import SystemClock
from chargenet.settings import load
from chargenet.settings.values import Secret
from tests.support.relay import SECRET
from tests.support.servers import free_port, listens, require_server

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "alerts.md").read_text("utf-8")
FILES = {
    "night.secret": SECRET, "program.secret": SECRET, "program-former.secret": SECRET, "pagerduty.key": "0" * 32,
    "slack.url": "https://hooks.slack.example/services/T000/B000/XXXX", "harbour.urls": "ntfys://ntfy.example/harbour\n",
    "mail.password": "hush",
}  # fmt: skip


def blocks(language: str) -> list[str]:
    """The code blocks of the page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


CONFIGS = [text for text in blocks("toml") if "[alerts]" not in text]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files lie that the examples name."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize("text", CONFIGS)
def test_every_config_on_the_page_loads(text: str, folder: Path) -> None:
    """As it stands."""
    assert parse(text, "alerts.toml", folder).receivers


def test_every_key_is_on_the_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the loader looks for while it reads the examples is in one of them or between backticks."""
    asked: set[str] = set()
    raw = Table.raw

    def noted(self: Table, key: str) -> Any:
        asked.add(key)
        return raw(self, key)

    monkeypatch.setattr(Table, "raw", noted)
    for text in CONFIGS:
        parse(text, "alerts.toml", folder)
    names = {name for text in CONFIGS for name in re.findall(r"^\[*receivers\.([a-z-]+)\]", text, re.MULTILINE)}
    keys = asked - names
    assert len(keys) > 35
    assert sorted(key for key in keys if not re.search(rf"`{key}`|^\[*{key}\b|^{key} =|\.{key}\]", PAGE, re.MULTILINE)) == []


def test_the_settings_on_the_page_are_settings(tmp_path: Path) -> None:
    """The block that connects Alertmanager is a settings file."""
    (text,) = [text for text in blocks("toml") if "[alerts]" in text]
    (tmp_path / "token").write_text("a token that is long enough".replace(" ", "-"))
    file = tmp_path / "config.toml"
    file.write_text(text.replace("/run/secrets/alertmanager-token", str(tmp_path / "token")))
    assert load(file, {}).alerts.through_alertmanager


@pytest.mark.server("amtool")
def test_alertmanager_takes_the_config_on_the_page(tmp_path: Path) -> None:
    """`amtool check-config` says so; it calls the resource that there is."""
    (text,) = blocks("yaml")
    file = tmp_path / "alertmanager.yml"
    file.write_text(text)
    done = subprocess.run([require_server("amtool"), "check-config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (call,) = yaml.safe_load(text)["receivers"][0]["webhook_configs"]
    assert call["url"].endswith("/api/v1/alerts/alertmanager") and "| POST | `/api/v1/alerts/alertmanager` |" in api_page()


def api_page() -> str:
    return (ROOT / "docs" / "api.md").read_text("utf-8")


@contextmanager
def stranger(tmp_path: Path, port: int) -> Iterator[Path]:
    """The receiver on the page, as a program of its own; what it prints is in the file."""
    (program,) = [text for text in blocks("python") if "HTTPServer" in text]
    assert len([line for line in program.splitlines() if line.strip()]) <= 11
    (tmp_path / "receiver.py").write_text(program)
    printed = tmp_path / "printed.txt"
    with printed.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, tmp_path / "receiver.py", SECRET, str(port)], stdout=output, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 20
            while not listens(port)():
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.05)
            yield printed
        finally:
            process.kill()
            process.wait()


async def sent(port: int, *secrets: str) -> Result:
    """A message to the receiver, signed with these secrets."""
    receiver = WebhookReceiver(name="stranger", url=Secret(f"http://127.0.0.1:{port}/"), secrets=tuple(map(Secret, secrets)))
    now = SystemClock().now()
    door = Door(allow_private=True)
    try:
        return await deliver(door, webhook.request(trial("stranger", "ola", now, "1"), receiver, now), 10.0, now)
    finally:
        await door.close()


async def test_the_receiver_on_the_page_verifies_us(tmp_path: Path) -> None:
    """Ten lines of somebody else's take what we signed, also while the secret is changed, and nothing that others signed."""
    port, other = free_port(), "whsec_" + "T3RoZXJz" * 4
    with stranger(tmp_path, port) as printed:
        assert (await sent(port, SECRET)).outcome is Outcome.DELIVERED
        assert (await sent(port, other, SECRET)).outcome is Outcome.DELIVERED
        assert (await sent(port, other)).outcome is not Outcome.DELIVERED
        assert [line.split()[1] for line in printed.read_text().splitlines()] == ["test", "test"]


def test_the_signature_by_hand(tmp_path: Path) -> None:
    """The function on the page says yes to ours, and no to a changed body."""
    (code,) = [text for text in blocks("python") if "is_ours" in text]
    known: dict[str, Any] = {}
    exec(compile(code, "docs/alerts.md", "exec"), known)
    now = SystemClock().now()
    receiver = WebhookReceiver(name="x", url=Secret("http://x/"), secrets=(Secret("whsec_" + "T3RoZXJz" * 4), Secret(SECRET)))
    made = webhook.request(trial("x", "ola", now, "1"), receiver, now)
    assert known["is_ours"](SECRET, made.headers, made.body)
    assert not known["is_ours"](SECRET, made.headers, made.body + b" ")


def test_every_member_of_the_payload_is_on_the_page() -> None:
    """Members of `data` and of its items."""
    data = json.loads(webhook.payload(trial("x", "ola", SystemClock().now(), "1")))["data"]
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert sorted(set(data) - named) == []
    assert sorted(set(data["items"][0]) - named - {"source", "severity", "title", "text", "links", "acknowledged_at"}) == []
