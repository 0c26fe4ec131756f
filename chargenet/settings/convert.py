"""One raw value → its type, or the sentence that says what was expected."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta

from chargenet.errors import SettingsError
from chargenet.settings.keys import KEYS
from chargenet.settings.values import Address, Secret

_UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    Path: "a path",
    Secret: "a secret text that is not empty",
    Address: "HOST:PORT, for example 127.0.0.1:9000",
    tuple: "a list of texts",
}
_LIMITS = (("at least", "ge"), ("above", "gt"), ("at most", "le"))


def convert(key: str, value: Any, source: str, *, from_text: bool = False) -> Any:
    """The value of `key` in its type. `from_text`: it comes from a variable, where everything is text. Raises SettingsError."""
    kind = KEYS[key]
    try:
        return msgspec.convert(_prepared(value, kind, from_text), kind, strict=not from_text, dec_hook=_custom)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        finite = "a finite number" if _is_infinite(value) else "a number"
        expected = expectation(kind).replace("a number", finite)
        said = "not usable" if Secret in _plain(kind) else f"{str(value)!r}" if isinstance(value, Path) else repr(value)
        raise SettingsError(source, key, f"is {said}, expected {expected}") from error


def _prepared(value: Any, kind: Any, from_text: bool) -> Any:
    if from_text and kind == tuple[str, ...]:
        return [each.strip() for each in value.split(",") if each.strip()]
    if isinstance(value, str) and _is_size(kind):
        return parse_size(value)
    number = float(value) if from_text and _base(kind) is float else value
    if _is_infinite(number):
        raise ValueError("not finite")
    return value


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _custom(wanted: type, raw: Any) -> Any:
    if isinstance(raw, wanted):
        return raw
    if not isinstance(raw, str):
        raise TypeError(f"{wanted.__name__} is made of a text")
    return wanted(raw)


def parse_size(text: str) -> int:
    """Bytes: "65536", "64 KiB", "1.5GiB". Raises ValueError."""
    number = text.strip()
    for unit, factor in _UNITS.items():
        if number.endswith(unit):
            return int(float(number[: -len(unit)]) * factor)
    return int(number)


def expectation(kind: Any) -> str:
    """What a type wants, in words."""
    base = _plain(kind)[0]
    if get_origin(base) is Literal:
        return "one of " + ", ".join(str(each) for each in get_args(base))
    words = 'a size in bytes, for example 1048576 or "64 MiB"' if _is_size(base) else _WORDS[_base(base)]
    for meta in _metas(base):
        bounds = ((word, getattr(meta, name)) for word, name in _LIMITS)
        words += "".join(f", {word} {bound}" for word, bound in bounds if bound is not None)
    return words


def _plain(kind: Any) -> list[Any]:
    """The type without its `| None`."""
    options = get_args(kind)
    return [each for each in options if each is not type(None)] if type(None) in options else [kind]


def _base(kind: Any) -> Any:
    """The bare class: int for Annotated[int, …], tuple for tuple[str, …]."""
    return getattr(kind, "__origin__", kind)


def _metas(kind: Any) -> list[Meta]:
    return [each for each in getattr(kind, "__metadata__", ()) if isinstance(each, Meta)]


def _is_size(kind: Any) -> bool:
    return any((meta.extra or {}).get("size") for meta in _metas(kind))
