"""What alerts.toml says, once it is right. Decided here: the kinds of receivers, their defaults, and what each wants to hear."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from alerts.stages.dedup import Wishes
from alerts.stages.inhibit import Inhibition
from alerts.stages.route import Route
from chargenet.settings.values import Secret

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, or something, that is told. `timeout_s` bounds one attempt."""

    TYPE: ClassVar[str]
    PARTLY_OVER: ClassVar[bool] = False
    ACKNOWLEDGED: ClassVar[bool] = True

    name: str
    timeout_s: float = 15.0
    send_resolved: bool = True

    @property
    def wishes(self) -> Wishes:
        """Programs follow each alert; people want to hear when all is over."""
        return Wishes(over=self.send_resolved, partly_over=self.PARTLY_OVER and self.send_resolved, acknowledged=self.ACKNOWLEDGED)


class WebhookReceiver(Receiver, frozen=True, kw_only=True):
    """A program that verifies our signature (Standard Webhooks). While a secret is changed, both sign."""

    TYPE = "webhook"
    PARTLY_OVER = True

    url: Secret
    secrets: tuple[Secret, ...]


class PagerDutyReceiver(Receiver, frozen=True, kw_only=True):
    """An integration of PagerDuty (Events API v2)."""

    TYPE = "pagerduty"

    routing_key: Secret
    url: Secret = Secret(PAGERDUTY_URL)


class SlackReceiver(Receiver, frozen=True, kw_only=True):
    """An incoming webhook of Slack, Mattermost, Rocket.Chat and what else takes its form. Its URL is a secret."""

    TYPE = "slack"

    url: Secret


class EmailReceiver(Receiver, frozen=True, kw_only=True):
    """Mail by SMTP. `tls`: starttls, tls (from the first byte) or none."""

    TYPE = "email"
    ACKNOWLEDGED = False

    host: str
    port: int
    tls: str = "starttls"
    sender: str
    to: tuple[str, ...]
    username: str = ""
    password: Secret | None = None


class AppriseReceiver(Receiver, frozen=True, kw_only=True):
    """Chats by their Apprise URLs, which are secrets."""

    TYPE = "apprise"
    ACKNOWLEDGED = False

    urls: tuple[Secret, ...]


class Watchdog(msgspec.Struct, frozen=True, kw_only=True):
    """The dead man's switch. `expect_within_s`: Alertmanager must send `alert` at least so often; None: it is not expected.

    `heartbeat_url`: called every `heartbeat_every_s` while the relay works, for a service elsewhere that tells when it stops.
    """

    alert: str = "Watchdog"
    expect_within_s: float | None = None
    heartbeat_url: Secret | None = None
    heartbeat_every_s: float = 60.0
    wedged_after_s: float = 120.0
    """The relay's own loop must turn at least so often, or `receivers` are told by a thread beside it."""
    receivers: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Every receiver that a route names is in `receivers`."""

    source: str
    route: Route
    receivers: dict[str, Receiver]
    inhibitions: tuple[Inhibition, ...] = ()
    watchdog: Watchdog = Watchdog()


NOBODY = Config(source="no alerts.toml", route=Route(), receivers={})
"""Nobody is told; what should be heard is kept."""
