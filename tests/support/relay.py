"""A relay over a simulated clock: its steps are called, nothing sleeps. Receivers answer as told and remember what came."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from alerts.config import Config, parse
from alerts.links import LinkMaker
from alerts.message import Message
from alerts.notifiers.port import Result
from alerts.relay.relay import Options, Relay
from alerts.relay.rows import AlertStore, Outcome
from alerts.storage.memory import MemoryAlerts
from chargenet.model.notice import Notice, Severity
from chargenet.testing import FrozenClock

SECRET = "whsec_" + "QUJD" * 8
NOW = datetime(2026, 5, 4, 2, 41, tzinfo=UTC)
CONFIG = f"""
[route]
receivers = ["night"]
group_by = ["site", "kind"]
group_wait_s = 30
group_interval_s = 300
repeat_interval_s = 14400

[receivers.night]
type = "webhook"
url = "http://127.0.0.1:9/hook"
secret = "{SECRET}"
"""


class Listener:
    """A receiver: `answer` decides, `heard` has every attempt, `taken` what was delivered."""

    def __init__(self) -> None:
        self.answer: Callable[[Message], Result] = lambda _: Result(outcome=Outcome.DELIVERED, http_status=200)
        self.heard: list[Message] = []
        self.taken: list[Message] = []

    async def send(self, message: Message, now: datetime) -> Result:
        self.heard.append(message)
        result = self.answer(message)
        if result.outcome is Outcome.DELIVERED:
            self.taken.append(message)
        return result

    def is_down(self, retry_after_s: float | None = None) -> None:
        self.answer = lambda _: Result(outcome=Outcome.RETRY, http_status=503, detail="down", retry_after_s=retry_after_s)

    def is_up(self) -> None:
        self.answer = lambda _: Result(outcome=Outcome.DELIVERED, http_status=200)

    @property
    def said(self) -> list[tuple[str, str]]:
        """(status, title) of what was delivered."""
        return [(message.status, message.title) for message in self.taken]


class Simulated:
    """A relay and its clock. `config` is the text of an alerts.toml."""

    def __init__(
        self, config: str = CONFIG, store: AlertStore | None = None, clock: FrozenClock | None = None, **options: Any
    ) -> None:
        self.clock = clock or FrozenClock(NOW)
        self.store = store or MemoryAlerts()
        self.config: Config = parse(config, "alerts.toml", Path())
        self.listeners: Mapping[str, Listener] = {name: Listener() for name in self.config.receivers}
        self.links = LinkMaker(bytes(32), lambda: "https://charge.example", 3600.0)
        self.relay = Relay(
            self.config, self.store, self.clock, self.listeners, links=self.links, options=Options(**options), jitter=lambda: 0.5
        )

    @property
    def night(self) -> Listener:
        return self.listeners["night"]

    async def turn(self) -> None:
        """Flush and deliver what is due now."""
        await self.relay.step()
        for dispatcher in self.relay.dispatchers.values():
            await dispatcher.step()

    async def wait(self, seconds: float, every_s: float = 5.0) -> None:
        """Let simulated time pass."""
        end = self.clock.monotonic() + seconds
        while self.clock.monotonic() < end:
            self.clock.advance(min(every_s, end - self.clock.monotonic()))
            await self.turn()

    async def tell(self, *notices: Notice) -> None:
        await self.relay.tell(notices)
        await self.turn()

    def notice(self, key: str = "case-1", **fields: Any) -> Notice:
        """A faulted connector at the harbour, since now."""
        labels = {"site": "harbour", "charge_point": "CP-7", "connector": "1"} | fields.pop("labels", {})
        values: dict[str, Any] = {
            "key": key, "source": "alerts", "kind": "ConnectorFaulted", "severity": Severity.CRITICAL, "title": f"{key} is faulted",
            "text": "5 of 6 attempts gave no energy.", "began_at": self.clock.now(), "labels": labels,
        }  # fmt: skip
        return Notice(**(values | fields))

    def over(self, notice: Notice) -> Notice:
        """The same, ended now."""
        return msgspec.structs.replace(notice, resolved_at=self.clock.now() + timedelta(microseconds=1))
