"""[receivers.NAME] → a receiver. Decided here: which keys each type has, and what is wrong with their values."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any

from alerts.config.model import (
    PAGERDUTY_URL,
    AppriseReceiver,
    EmailReceiver,
    PagerDutyReceiver,
    Receiver,
    SlackReceiver,
    WebhookReceiver,
)
from alerts.config.reading import Table
from chargenet.settings.values import Address, Secret

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_ROUTING_KEY = re.compile(r"[A-Za-z0-9]{32}")
_TLS_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def read_receiver(name: str, table: Table) -> Receiver:
    """Raises SettingsError."""
    if not _NAME.fullmatch(name):
        table.wrong("this name is not usable, expected small letters, digits, - and _, at most 64")
    make = _TYPES[table.choice("type", tuple(_TYPES))]
    common = {
        "name": name,
        "timeout_s": table.number("timeout_s", 15.0, 0.1, 120.0),
        "send_resolved": table.flag("send_resolved", True),
    }
    receiver = make(table, common)
    table.close()
    return receiver


def _webhook(table: Table, common: dict[str, Any]) -> Receiver:
    url = table.needed_url("url")
    given = [(key, table.secret(key)) for key in ("secret", "former_secret")]
    if given[0][1] is None:
        table.wrong("secret is missing: `chargewatch alerts secret` makes one")
    for key, secret in given:
        if secret is not None and not _signs(secret):
            table.wrong(f"{key} is not usable, expected whsec_ and 24 to 64 bytes in base64: `chargewatch alerts secret` makes one")
    return WebhookReceiver(url=url, secrets=tuple(secret for _, secret in given if secret is not None), **common)


def _signs(secret: Secret) -> bool:
    prefix, _, encoded = secret.reveal().partition("_")
    try:
        return prefix == "whsec" and 24 <= len(base64.b64decode(encoded, validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False


def _pagerduty(table: Table, common: dict[str, Any]) -> Receiver:
    key = table.needed_secret("routing_key")
    if not _ROUTING_KEY.fullmatch(key.reveal()):
        table.wrong("routing_key is not usable, expected the 32 letters and digits of an Events API v2 integration")
    return PagerDutyReceiver(routing_key=key, url=table.url("url") or Secret(PAGERDUTY_URL), **common)


def _slack(table: Table, common: dict[str, Any]) -> Receiver:
    return SlackReceiver(url=table.needed_url("url"), **common)


def _email(table: Table, common: dict[str, Any]) -> Receiver:
    tls = table.choice("tls", tuple(_TLS_PORTS), "starttls")
    host, port = _server(table, _TLS_PORTS[tls])
    sender, to = table.text("from"), table.texts("to")
    for key, address in (("from", sender), *(("to", each) for each in to)):
        if not _is_address(address):
            table.wrong(f"{key} is {address!r}, expected a mail address such as ops@example.org")
    username, password = table.text("username", ""), table.secret("password")
    if bool(username) != (password is not None):
        table.wrong("username and password belong together: one of them is missing")
    if password is not None and tls == "none":
        table.wrong("tls is 'none', which would send the password in the clear")
    return EmailReceiver(
        host=host, port=port, tls=tls, sender=sender, to=to, username=username, password=password, **common
    )  # fmt: skip


def _server(table: Table, port: int) -> tuple[str, int]:
    given = table.text("smtp")
    try:
        address = Address(given if re.search(r":\d+$", given) else f"{given}:{port}")
    except ValueError:
        table.wrong(f"smtp is {given!r}, expected HOST or HOST:PORT")
    return address.host, address.port


def _is_address(text: str) -> bool:
    address = parseaddr(text)[1]
    return address.count("@") == 1 and not address.startswith("@") and not address.endswith("@") and address.isascii()


def _apprise(table: Table, common: dict[str, Any]) -> Receiver:
    if table.has("urls"):
        if table.has("urls_file"):
            table.wrong("urls and urls_file are given: give one of the two")
        table.raw("urls_file")
        texts = _secret_texts(table)
    else:
        texts = tuple(line.strip() for line in table.needed_secret("urls").reveal().splitlines() if line.strip())
    for number, text in enumerate(texts, 1):
        if not re.match(r"[a-z][a-z0-9+.-]*://.", text, re.IGNORECASE):
            table.wrong(f"urls: item {number} is no Apprise URL, expected SCHEMA://…")
    return AppriseReceiver(urls=tuple(Secret(text) for text in texts), **common)


def _secret_texts(table: Table) -> tuple[str, ...]:
    value = table.raw("urls")
    if not isinstance(value, list) or not value or not all(isinstance(each, str) and each for each in value) or len(value) > 20:
        table.wrong("urls is not usable, expected a list of 1 to 20 Apprise URLs")
    return tuple(value)


_TYPES: dict[str, Callable[[Table, dict[str, Any]], Receiver]] = {
    WebhookReceiver.TYPE: _webhook,
    PagerDutyReceiver.TYPE: _pagerduty,
    SlackReceiver.TYPE: _slack,
    EmailReceiver.TYPE: _email,
    AppriseReceiver.TYPE: _apprise,
}
