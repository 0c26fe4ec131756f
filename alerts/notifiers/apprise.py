"""Chats by Apprise URLs. The library blocks, connects by itself (redirects and private addresses are its affair), knows no repeat,
and says only whether it worked: for people who want to see it too, never for the page itself."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from alerts.config.model import AppriseReceiver
from alerts.message import Message, body, cut
from alerts.notifiers.port import Result
from alerts.notifiers.threads import Blocking
from alerts.relay.rows import Outcome
from alerts.stages.dedup import Status
from chargenet.model.notice import Severity

MAX_TITLE, MAX_BODY, MAX_LINKS = 250, 2000, 5


class Apprise:
    """Implements `alerts.notifiers.port.Notifier`."""

    def __init__(self, receiver: AppriseReceiver) -> None:
        self._receiver = receiver
        self._blocking = Blocking(f"apprise {receiver.name}")

    async def send(self, message: Message, now: datetime) -> Result:
        return await self._blocking.call(lambda: self._send(message), self._receiver.timeout_s)

    def _send(self, message: Message) -> Result:
        import apprise  # slow to import, and seldom needed

        logging.getLogger("apprise").disabled = True  # it logs URLs, which are secrets
        chats = apprise.Apprise()
        for number, url in enumerate(self._receiver.urls, 1):
            if not chats.add(url.reveal()):
                return Result(outcome=Outcome.REFUSED, detail=f"Apprise does not understand URL {number} of this receiver")
        worked = chats.notify(**arguments(message))
        return Result(outcome=Outcome.DELIVERED) if worked else Result(outcome=Outcome.RETRY, detail="Apprise could not deliver it")


def arguments(message: Message) -> dict[str, Any]:
    """What the library is told."""
    kinds = {Severity.CRITICAL: "failure", Severity.WARNING: "warning"}
    kind = "success" if message.status == Status.RESOLVED else kinds.get(message.severity, "info")
    links = "".join(f"\n{link.title}: {link.url}" for link in message.links[:MAX_LINKS])
    text = f"{cut(body(message), MAX_BODY) or message.title}\n{links}".strip()  # the library sends no empty text
    return {"title": cut(message.title, MAX_TITLE), "body": text, "notify_type": kind, "body_format": "text"}
