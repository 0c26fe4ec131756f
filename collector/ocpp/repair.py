"""A payload that breaks its schema → everything usable in it. Decided here: what is kept, what is converted, what is given up.

A report is evidence and is never refused for its form: too long texts are kept whole, unknown enum values as said, numbers written
as text (and text as numbers) are converted, extra properties ignored, and what cannot be used is None, even where the schema
requires it. Every departure from the schema is one deviation with its path.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from chargenet.events import FrameDeviated
from chargenet.model.words import Protocol
from collector.ocpp.schemas import PERSONAL, schema_for
from collector.ocpp.structs import MAX_INTEGER
from collector.quirks import flag

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


class Mended(msgspec.Struct, frozen=True):
    """A repaired call. `complete`: nothing that the schema requires had to be given up."""

    call: Any
    deviations: list[FrameDeviated]
    complete: bool


def repair(protocol: Protocol, action: str, payload: Any) -> tuple[Any, list[FrameDeviated]]:
    """The action's Struct with every usable part of `payload` (decoded JSON, any shape), and what deviated. Never raises."""
    mended = mend(protocol, action, payload)
    return mended.call, mended.deviations


def mend(protocol: Protocol, action: str, payload: Any, *, response: bool = False) -> Mended:
    """As `repair`, also for call results, and says whether anything required was lost."""
    smith = _Smith(action)
    call = smith.object(_shape(protocol, action, response), payload, "")
    return Mended(call, smith.deviations, smith.complete)


@cache
def _shape(protocol: Protocol, action: str, response: bool) -> inspect.StructType:
    shape = inspect.type_info(schema_for(protocol, action, response=response).struct)
    assert isinstance(shape, inspect.StructType)
    return shape


class _Smith:
    """One payload on the anvil."""

    def __init__(self, action: str) -> None:
        self.deviations: list[FrameDeviated] = []
        self.complete = True
        self._action = action

    def object(self, shape: inspect.StructType, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            self._note("not-an-object", path, "not an object", value)
            value = {}
        fields = {field.encode_name: field for field in shape.fields}
        given = self._keys(fields, value, path, shape.forbid_unknown_fields)
        return shape.cls(**{name: self._field(field, given, _join(path, name)) for name, field in fields.items()})

    def _keys(self, fields: dict[str, inspect.Field], value: dict[str, Any], path: str, closed: bool) -> dict[str, Any]:
        """The properties that the schema knows, also those spelled in another case."""
        given = {key: item for key, item in value.items() if key in fields}
        known = {name.casefold(): name for name in fields}
        for key, item in value.items():
            if key in fields or not closed:
                continue
            name = known.get(key.casefold())
            if name is not None and name not in given:
                given[name] = item
                self._note("key-case", _join(path, key), f"spelled {key!r} instead of {name!r}", key)
            else:
                self._note("unexpected", _join(path, key[:64]), "not in the schema, ignored", key)
        return given

    def _field(self, field: inspect.Field, given: dict[str, Any], path: str) -> Any:
        if field.encode_name not in given:
            if field.required:
                self._lose("missing", path, "required, but missing", None)
            return None
        value = given[field.encode_name]
        if value is None and not isinstance(field.type, inspect.AnyType):
            self._note("null", path, "null, read as absent", None)
            self.complete = self.complete and not field.required
            return None
        usable = self.value(field.type, value, path)
        if usable is None and field.required and value is not None:
            self.complete = False
        return usable

    def value(self, shape: inspect.Type, value: Any, path: str) -> Any:
        """The usable part of one value, or None."""
        if isinstance(shape, inspect.StructType):
            return self.object(shape, value, path) if isinstance(value, dict) else self._unusable(path, "an object", value)
        if isinstance(shape, inspect.ListType):
            return self._list(shape, value, path)
        if isinstance(shape, inspect.AnyType):
            return value
        return _SCALARS[type(shape)](self, shape, value, path)

    def _list(self, shape: inspect.ListType, value: Any, path: str) -> list[Any] | None:
        if isinstance(value, dict):
            self._note("not-a-list", path, "one object instead of a list", None)
            value = [value]
        if not isinstance(value, list):
            self._unusable(path, "a list", value)
            return None
        items = [self.value(shape.item_type, item, f"{path}[{at}]") for at, item in enumerate(value)]
        if shape.min_length is not None and len(value) < shape.min_length:
            self._note("empty-list", path, f"{len(value)} items, the schema wants {shape.min_length} or more", None)
        if shape.max_length is not None and len(value) > shape.max_length:
            self._note("too-many", path, f"{len(value)} items, the schema allows {shape.max_length}", None)
        return [item for item in items if item is not None]

    def text(self, shape: inspect.StrType, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            if isinstance(value, dict | list) and shape.max_length is not None:
                return self._unusable(path, "text", value)
            self._note("wrong-type", path, f"{_show(value, path)} where text belongs", value)
            value = value if isinstance(value, str) else _as_text(value)
        if shape.max_length is not None and len(value) > shape.max_length:
            self._note("too-long", path, f"{len(value)} characters, the schema allows {shape.max_length}: kept whole", value)
        text: str = value
        return text

    def literal(self, shape: inspect.LiteralType, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            if isinstance(value, dict | list):
                return self._unusable(path, "text", value)
            self._note("wrong-type", path, f"{_show(value, path)} where text belongs", value)
            value = _as_text(value)
        if value in shape.values:
            return str(value)
        folded = value.strip().casefold()
        for allowed in shape.values:
            if str(allowed).casefold() == folded:
                self._note("enum-spelling", path, f"{_show(value, path)} read as {allowed!r}", value)
                return str(allowed)
        self._note("not-in-enum", path, f"{_show(value, path)} is not a word of the standard", value)
        return str(value)

    def integer(self, shape: inspect.IntType, value: Any, path: str) -> Any:
        """Transaction ids that are text stay text: whoever matches the transaction must see what was said."""
        if type(value) is not int or not -MAX_INTEGER <= value <= MAX_INTEGER:
            whole = _whole(value)
            if whole is None and path.endswith("transactionId") and isinstance(value, str | int) and not isinstance(value, bool):
                self._note("text-id", path, f"{_show(value, path)} where a number belongs: kept as said", value)
                return str(value)
            if whole is None:
                return self._unusable(path, "a whole number", value)
            self._note("wrong-type", path, f"{_show(value, path)} where a whole number belongs", value)
            value = whole
        self._range(shape, value, path)
        return int(value)

    def number(self, shape: inspect.FloatType, value: Any, path: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            parsed = _finite(value)
            if parsed is None:
                return self._unusable(path, "a number", value)
            self._note("wrong-type", path, f"{_show(value, path)} where a number belongs", value)
            value = parsed
        finite = _finite(value)
        if finite is None:
            return self._unusable(path, "a finite number", value)
        self._range(shape, finite, path)
        return finite

    def truth(self, shape: inspect.BoolType, value: Any, path: str) -> Any:
        if isinstance(value, bool):
            return value
        word = str(value).strip().casefold() if isinstance(value, str | int) else ""
        if word in _TRUE or word in _FALSE:
            self._note("wrong-type", path, f"{_show(value, path)} where true or false belongs", value)
            return word in _TRUE
        return self._unusable(path, "true or false", value)

    def _range(self, shape: inspect.IntType | inspect.FloatType, value: float, path: str) -> None:
        if (shape.ge is not None and value < shape.ge) or (shape.le is not None and value > shape.le):
            self._note("out-of-range", path, f"{value} is outside {shape.ge}…{shape.le}: kept", value)

    def _unusable(self, path: str, wanted: str, value: Any) -> Any:
        self._note("unusable", path, f"{_show(value, path)} cannot be read as {wanted}", value)
        return None

    def _lose(self, rule: str, path: str, detail: str, value: Any) -> None:
        self.complete = False
        self._note(rule, path, detail, value)

    def _note(self, rule: str, path: str, detail: str, value: Any) -> None:
        self.deviations.append(flag(rule, path, detail, value, self._action))


_SCALARS: dict[type[inspect.Type], Callable[[_Smith, Any, Any, str], Any]] = {
    inspect.StrType: _Smith.text,
    inspect.LiteralType: _Smith.literal,
    inspect.IntType: _Smith.integer,
    inspect.FloatType: _Smith.number,
    inspect.BoolType: _Smith.truth,
}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _show(value: Any, path: str) -> str:
    """A value for a sentence: short, and never an ID token."""
    if path.rpartition(".")[2].casefold() in PERSONAL:
        return "a value"
    text = repr(value)
    return text if len(text) <= 64 else f"{text[:61]}..."


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        parsed = float(value)
    except (ValueError, OverflowError):
        return None
    return parsed if math.isfinite(parsed) else None


def _whole(value: Any) -> int | None:
    """Text or float → int of at most 64 bits; fractions are cut (a register of 1234.9 Wh has counted 1234)."""
    parsed = _finite(value)
    if parsed is None or abs(parsed) > MAX_INTEGER:
        return None
    try:
        return int(value)
    except ValueError:
        return int(parsed)
