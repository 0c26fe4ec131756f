"""PagerDuty, Events API v2: trigger, acknowledge, resolve, with one dedup key as long as a group lives."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from alerts.config.model import PagerDutyReceiver
from alerts.message import Message, body, cut
from alerts.notifiers.port import HttpDoor, HttpRequest, Result, deliver
from alerts.stages.dedup import Status
from chargenet.model.notice import Severity

MAX_SUMMARY, MAX_DETAILS_TEXT, MAX_PART = 1024, 8000, 255
"""By PagerDuty: a summary of 1,024 characters, an event of 512 KB."""
_ACTIONS = {Status.ACKNOWLEDGED: "acknowledge", Status.RESOLVED: "resolve"}
_SEVERITIES = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class PagerDuty:
    """Implements `alerts.notifiers.port.Notifier`."""

    def __init__(self, receiver: PagerDutyReceiver, door: HttpDoor) -> None:
        self._receiver, self._door = receiver, door

    async def send(self, message: Message, now: datetime) -> Result:
        return await deliver(self._door, request(message, self._receiver), self._receiver.timeout_s, now)


def request(message: Message, receiver: PagerDutyReceiver) -> HttpRequest:
    """The event of a message."""
    event: dict[str, Any] = {
        "routing_key": receiver.routing_key.reveal(),
        "event_action": _ACTIONS.get(Status(message.status), "trigger"),
        "dedup_key": dedup_key(message.group_key),
    }
    if event["event_action"] == "trigger":
        event |= {
            "payload": _payload(message),
            "client": "chargewatch",
            "links": [{"href": link.url, "text": cut(link.title, MAX_PART)} for link in message.links],
        }
    return HttpRequest(receiver.url.reveal(), {"Content-Type": "application/json"}, msgspec.json.encode(event))


def dedup_key(group_key: str) -> str:
    """One incident per group: trigger, acknowledge and resolve find each other by it."""
    return "chargewatch-" + hashlib.sha256(group_key.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _payload(message: Message) -> dict[str, Any]:
    labels = message.labels
    return {
        "summary": cut(message.title, MAX_SUMMARY).replace("\n", " "),
        "source": cut(labels.get("charge_point") or labels.get("site") or "chargewatch", MAX_PART),
        "severity": message.severity if message.severity in _SEVERITIES else Severity.WARNING,
        "timestamp": message.began_at.isoformat(),
        "component": cut(labels.get("connector", ""), MAX_PART),
        "group": cut(labels.get("site", ""), MAX_PART),
        "class": cut(labels.get("kind", ""), MAX_PART),
        "custom_details": _details(message),
    }


def _details(message: Message) -> dict[str, Any]:
    """PagerDuty shows these as a table: the text without what stands above and below it, and the figures by their names."""
    details: dict[str, Any] = {"text": cut(body(message), MAX_DETAILS_TEXT), "labels": message.labels}
    if len(message.items) == 1:
        details |= {name: value for name, value in message.items[0].details.items() if name not in ("evidence", "last_sessions")}
    elif message.more:
        details["alerts_not_shown"] = message.more
    return details
