"""Signed webhooks, by Standard Webhooks 1.0: id, timestamp, HMAC-SHA256 over `id.timestamp.body`, one signature per secret."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from alerts.config.model import WebhookReceiver
from alerts.message import Message
from alerts.notifiers.port import HttpDoor, HttpRequest, Result, deliver
from chargenet.settings.values import Secret


class Webhook:
    """Implements `alerts.notifiers.port.Notifier`."""

    def __init__(self, receiver: WebhookReceiver, door: HttpDoor) -> None:
        self._receiver, self._door = receiver, door

    async def send(self, message: Message, now: datetime) -> Result:
        return await deliver(self._door, request(message, self._receiver, now), self._receiver.timeout_s, now)


def request(message: Message, receiver: WebhookReceiver, now: datetime) -> HttpRequest:
    """The body of a message is the same for every attempt; timestamp and signature are the attempt's."""
    body = payload(message)
    timestamp = int(now.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(receiver.secrets, message.message_id, timestamp, body),
    }
    return HttpRequest(receiver.url.reveal(), headers, body)


def payload(message: Message) -> bytes:
    """`type`, `timestamp` and `data`, as the standard recommends; files by name only, never by where they are."""
    data = msgspec.to_builtins(message)
    data["attachments"] = [{"name": each.name, "media_type": each.media_type} for each in message.attachments]
    timestamp = message.created_at.astimezone(UTC).isoformat()
    return msgspec.json.encode({"type": f"alert.{message.status}", "timestamp": timestamp, "data": data})


def signatures(secrets: Sequence[Secret], message_id: str, timestamp: int, body: bytes) -> str:
    """One `v1,…` per secret, so that a receiver may know the new or the former one."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return " ".join(f"v1,{base64.b64encode(hmac.digest(_key(secret), signed, 'sha256')).decode()}" for secret in secrets)


def _key(secret: Secret) -> bytes:
    return base64.b64decode(secret.reveal().removeprefix("whsec_"))
