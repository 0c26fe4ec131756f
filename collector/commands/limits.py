"""Checks that calls of all versions share. Decided here: the sentence that a caller reads when a value cannot be sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chargenet.errors import InvalidCall
from collector.handlers.instants import wire

Translated = tuple[str, dict[str, Any]]
"""(action, payload) of a call."""


def at_most(action: str, field: str, text: str, limit: int) -> str:
    """`text`, when it has no more than `limit` characters; raises InvalidCall otherwise."""
    if len(text) > limit:
        raise InvalidCall(action, f"{field} has {len(text)} characters, the charge point's OCPP version allows {limit}")
    return text


def location(action: str, field: str, url: str, limit: int | None) -> str:
    """An address that a charge point is to fetch from or upload to."""
    if not url:
        raise InvalidCall(action, f"{field} is empty")
    if limit is not None and len(url) > limit:
        problem = f"{field} has {len(url)} characters, the charge point's OCPP version allows {limit}: use a shorter address"
        raise InvalidCall(action, problem)
    return url


def present(**fields: int | str | datetime | dict[str, Any] | None) -> dict[str, Any]:
    """The fields that are not None, instants as text."""
    return {name: wire(value) if isinstance(value, datetime) else value for name, value in fields.items() if value is not None}


def retry_fields(action: str, retries: int | None, retry_interval_s: int | None) -> dict[str, Any]:
    """`retries` and `retryInterval`, refused when negative."""
    for field, value in (("retries", retries), ("retryInterval", retry_interval_s)):
        if value is not None and value < 0:
            raise InvalidCall(action, f"{field} is {value}, it cannot be negative")
    return present(retries=retries, retryInterval=retry_interval_s)


def signed(action: str, signing_certificate: str | None, signature: str | None) -> bool:
    """Whether the signed form is meant; certificate and signature come together or not at all."""
    if (signing_certificate is None) != (signature is None):
        missing = "signature" if signature is None else "signing certificate"
        raise InvalidCall(action, f"the {missing} is missing: a signed image needs both signing certificate and signature")
    return signature is not None
