"""What readers never see of payloads: passwords that we set, upload URLs that still work. The journal keeps frames whole."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "(hidden)"
_SECRET_NAMES = ("authorizationkey", "basicauthpassword", "password", "secret")
_VALUES = ("value", "attributeValue")
_UPLOAD = re.compile(r"(/uploads/)[0-9a-f]{16}\.[A-Za-z0-9_-]+")


def without_secrets(value: Any) -> Any:
    """A JSON value with secrets hidden: under telling names, in OCPP's {key, value} and {variable, attributeValue}, in URLs."""
    if isinstance(value, str):
        return _UPLOAD.sub(rf"\1{HIDDEN}", value) if "/uploads/" in value else value
    if isinstance(value, list | tuple):
        return [without_secrets(each) for each in value]
    if not isinstance(value, dict):
        return value
    named = _names_secret(value)
    return {name: _shown(name, each, named and name in _VALUES) for name, each in value.items()}


def _shown(name: str, value: Any, hide: bool) -> Any:
    return HIDDEN if value is not None and (hide or _is_secret(name)) else without_secrets(value)


def _is_secret(name: str) -> bool:
    lowered = name.lower()
    return lowered != "has_password" and any(secret in lowered for secret in _SECRET_NAMES)


def _names_secret(value: dict[str, Any]) -> bool:
    variable = value.get("variable")
    named = [value.get("key"), value.get("name"), variable.get("name") if isinstance(variable, dict) else None]
    return any(isinstance(name, str) and _is_secret(name.rpartition(".")[2]) for name in named)
