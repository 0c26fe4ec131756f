"""A receiver of the config → the notifier that reaches it."""

from __future__ import annotations

from alerts.config.model import (
    AppriseReceiver,
    EmailReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
)
from alerts.notifiers.apprise import Apprise
from alerts.notifiers.email import Email
from alerts.notifiers.pagerduty import PagerDuty
from alerts.notifiers.port import HttpDoor, Notifier
from alerts.notifiers.slack import Slack
from alerts.notifiers.webhook import Webhook


def notifier(receiver: Receiver, door: HttpDoor) -> Notifier:
    """Connects to nothing yet."""
    match receiver:
        case WebhookReceiver():
            return Webhook(receiver, door)
        case PagerDutyReceiver():
            return PagerDuty(receiver, door)
        case SlackReceiver():
            return Slack(receiver, door)
        case EmailReceiver():
            return Email(receiver)
        case AppriseReceiver():
            return Apprise(receiver)
        case _:
            raise TypeError(f"no notifier for {type(receiver).__name__}")
