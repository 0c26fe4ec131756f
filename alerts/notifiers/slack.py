"""Incoming webhooks in Slack's form, which others take as well. They know no id: a repeat is shown twice."""

from __future__ import annotations

from datetime import datetime

import msgspec

from alerts.config.model import SlackReceiver
from alerts.message import Message, body, cut
from alerts.notifiers.port import HttpDoor, HttpRequest, Result, deliver
from alerts.stages.dedup import Status
from chargenet.model.notice import Severity

MAX_TEXT = 3000
"""Slack shortens longer attachments by itself."""
_COLOURS = {Severity.CRITICAL: "#d7263d", Severity.WARNING: "#f2a541", Severity.INFO: "#5b8e7d"}
_OVER = "#2e933c"


class Slack:
    """Implements `alerts.notifiers.port.Notifier`."""

    def __init__(self, receiver: SlackReceiver, door: HttpDoor) -> None:
        self._receiver, self._door = receiver, door

    async def send(self, message: Message, now: datetime) -> Result:
        return await deliver(self._door, request(message, self._receiver), self._receiver.timeout_s, now)


def request(message: Message, receiver: SlackReceiver) -> HttpRequest:
    """The title as text, for notifications on a phone; everything else in one attachment."""
    links = " · ".join(f"<{link.url}|{escaped(cut(link.title, 60))}>" for link in message.links if not set(link.url) & set("<>|"))
    text = escaped(cut(body(message), MAX_TEXT))
    over = message.status == Status.RESOLVED
    attachment = {
        "color": _OVER if over else _COLOURS.get(message.severity, _COLOURS[Severity.WARNING]),
        "fallback": escaped(message.title),
        "text": "\n\n".join(part for part in (text, links) if part),
        "mrkdwn_in": ["text"],
        "ts": int(message.created_at.timestamp()),
    }
    mark = "" if over or message.status in (Status.TEST, Status.NEWS) else f"{message.severity.upper()}: "
    post = {"text": escaped(mark + message.title), "attachments": [attachment]}
    return HttpRequest(receiver.url.reveal(), {"Content-Type": "application/json"}, msgspec.json.encode(post))


def escaped(text: str) -> str:
    """Slack's three control characters: nobody is mentioned, and nothing linked, by what a charge point says."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
