"""Every setting by its dotted key: its type, its variable, its value as text. Decided here: what a shown value hides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import msgspec

from chargenet.settings.sections import Settings
from chargenet.settings.values import Secret

PREFIX = "CHARGEWATCH_"


def _keys(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, Any]]:
    hints = get_type_hints(struct, include_extras=True)
    for name in struct.__struct_fields__:
        if isinstance(hints[name], type) and issubclass(hints[name], msgspec.Struct):
            yield from _keys(hints[name], f"{prefix}{name}.")
        else:
            yield prefix + name, hints[name]


KEYS: dict[str, Any] = dict(_keys(Settings))
"""Every dotted key and its annotated type."""
SECTIONS = tuple(dict.fromkeys(key[:at] for key in KEYS for at, letter in enumerate(key) if letter == "."))
"""Every section, and every section within one."""


def variable(key: str) -> str:
    """The environment variable of a dotted key."""
    return PREFIX + key.replace(".", "_").upper()


def value_of(settings: Settings, key: str) -> Any:
    """The value behind a dotted key."""
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def shown(value: Any) -> str:
    """A value as text for people, without what must stay hidden (secrets, a password inside a URL)."""
    if value is None or value == () or value == "":
        return "-"
    if isinstance(value, Secret):
        return "(hidden)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value)
    scheme, separator, rest = str(value).partition("://")
    user, at, host = rest.rpartition("@")
    if separator and at and ":" in user:
        return f"{scheme}://{user.partition(':')[0]}:(hidden)@{host}"
    return str(value)
