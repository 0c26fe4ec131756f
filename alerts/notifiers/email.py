"""Mail by SMTP. The Message-ID is the message's id, so that a mailbox can drop a repeat; mails of a group make one thread."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from alerts.config.model import EmailReceiver
from alerts.message import Message, cut
from alerts.notifiers.port import MAX_DETAIL, Result
from alerts.notifiers.threads import Blocking
from alerts.relay.rows import Outcome
from chargenet.model.notice import Attachment

MAX_ATTACHED = 10 << 20
"""Bytes of all files of one mail; larger ones are named instead."""
_DOMAIN = "chargewatch.invalid"


class Email:
    """Implements `alerts.notifiers.port.Notifier`."""

    def __init__(self, receiver: EmailReceiver, ssl_context: ssl.SSLContext | None = None) -> None:
        self._receiver, self._ssl = receiver, ssl_context
        self._blocking = Blocking(f"mail {receiver.name}")

    async def send(self, message: Message, now: datetime) -> Result:
        return await self._blocking.call(lambda: self._send(message, now), 2 * self._receiver.timeout_s)

    def _send(self, message: Message, now: datetime) -> Result:
        receiver = self._receiver
        try:
            with self._connected() as server:
                if receiver.password is not None:
                    server.login(receiver.username, receiver.password.reveal())
                refused = server.send_message(mail(message, receiver, now), receiver.sender, list(receiver.to))
        except smtplib.SMTPResponseException as error:
            return _answered(error.smtp_code)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            return _answered(code)
        except (smtplib.SMTPException, OSError) as error:
            return Result(outcome=Outcome.RETRY, detail=cut(f"no connection: {error or type(error).__name__}", MAX_DETAIL))
        detail = f"refused for {len(refused)} of {len(receiver.to)} addresses" if refused else ""
        return Result(outcome=Outcome.DELIVERED, detail=detail)

    def _connected(self) -> smtplib.SMTP:
        receiver = self._receiver
        context = self._ssl or ssl.create_default_context()
        if receiver.tls == "tls":
            return smtplib.SMTP_SSL(receiver.host, receiver.port, timeout=receiver.timeout_s, context=context)
        server = smtplib.SMTP(receiver.host, receiver.port, timeout=receiver.timeout_s)
        if receiver.tls == "starttls":
            try:
                server.starttls(context=context)
            except BaseException:
                server.close()
                raise
        return server


def mail(message: Message, receiver: EmailReceiver, now: datetime) -> EmailMessage:
    """The mail of a message. Blocking: it reads attached files."""
    made = EmailMessage()
    made["Subject"] = " ".join(cut(message.title, 200).split())
    made["From"], made["To"] = receiver.sender, ", ".join(receiver.to)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{message.message_id}@{_DOMAIN}>"
    made["References"] = f"<group-{hashlib.sha256(message.group_key.encode()).hexdigest()[:32]}@{_DOMAIN}>"
    made["Auto-Submitted"] = "auto-generated"
    files, left_out = _files(message.attachments)
    made.set_content(message.text + "".join(f"\n\nNot attached: {name}" for name in left_out) + "\n")
    for attachment, content in files:
        main, _, sub = attachment.media_type.partition("/")
        made.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=cut(attachment.name, 200))
    return made


def _files(attachments: tuple[Attachment, ...]) -> tuple[list[tuple[Attachment, bytes]], list[str]]:
    files: list[tuple[Attachment, bytes]] = []
    left_out: list[str] = []
    room = MAX_ATTACHED
    for attachment in attachments:
        try:
            with Path(attachment.path).open("rb") as file:
                content = file.read(room + 1)
        except OSError:
            content = None
        if content is None or len(content) > room:
            left_out.append(cut(attachment.name, 200))
        else:
            room -= len(content)
            files.append((attachment, content))
    return files, left_out


def _answered(code: int) -> Result:
    """RFC 5321 §4.2.1: 4yz may pass, 5yz will not. The server's text can quote what it was sent: its code alone is kept."""
    if code >= 500:
        return Result(outcome=Outcome.REFUSED, http_status=None, detail=f"the mail server refused with {code}")
    return Result(outcome=Outcome.RETRY, detail=f"the mail server answered {code}")
