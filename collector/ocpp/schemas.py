"""What a payload must look like, from the schemas that the `ocpp` package ships. Decided here: valid or not, and why not.

The common case costs one typed msgspec pass. Only a payload that fails it is validated again by jsonschema-rs, which can say
which rule was broken where. What to do about it is decided elsewhere: reports are repaired (repair.py), requests answered.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import jsonschema_rs
import msgspec

from chargenet.errors import InvalidCall
from chargenet.model.words import Protocol
from collector.ocpp.errors import KEYWORD_FAULTS, Fault, error_code
from collector.ocpp.structs import Document, struct_of

PERSONAL = frozenset({"idtag", "idtoken", "parentidtag", "groupidtoken", "emaid"})
"""Properties whose values are never repeated in sentences, case folded."""
_FOLDERS = {Protocol.OCPP16: "v16", Protocol.OCPP201: "v201", Protocol.OCPP21: "v21"}


class Violation(msgspec.Struct, frozen=True):
    """One broken rule: the schema's keyword, a JSON path such as `meterValue[0].timestamp`, and a sentence."""

    keyword: str
    path: str
    problem: str


class SchemaViolation(Exception):
    """A payload breaks its schema: the sender's fault. `error_code` is the version's word for it."""

    def __init__(self, action: str, problem: str, error_code: str, violations: tuple[Violation, ...] = ()) -> None:
        super().__init__(f"{action}: {problem}")
        self.action, self.problem, self.error_code, self.violations = action, problem, error_code, violations


class Schema:
    """One payload's schema: `document` as shipped, `struct` generated from it, and both validators."""

    def __init__(self, protocol: Protocol, action: str, response: bool, document: Document) -> None:
        self.protocol, self.action, self.response, self.document = protocol, action, response, document
        self.struct: type[msgspec.Struct] = struct_of(action + ("Response" if response else "Request"), document)
        self._decoder = msgspec.json.Decoder(self.struct)
        # Binary fractions cannot tell whether 21.4 is a multiple of 0.1: those few payloads take the exact validator each time.
        self._exact = "multipleOf" in repr(document)
        self._validator: jsonschema_rs.Validator | None = None

    def decode(self, raw: bytes | msgspec.Raw) -> Any:
        """Valid payload → `struct` instance. Raises SchemaViolation, also for what is not JSON."""
        try:
            call = self._decoder.decode(raw)
        except msgspec.ValidationError:
            return self._explain(raw)
        except (ValueError, RecursionError) as problem:
            raise SchemaViolation(self.action, str(problem), error_code(self.protocol, Fault.FORMAT)) from None
        if self._exact:
            self.check(msgspec.json.decode(raw))
        return call

    def _explain(self, raw: bytes | msgspec.Raw) -> Any:
        try:
            payload = msgspec.json.decode(raw)
        except (ValueError, RecursionError) as problem:
            raise SchemaViolation(self.action, str(problem), error_code(self.protocol, Fault.FORMAT)) from None
        self.check(payload)
        # Valid by the schema and not by its Struct: draft 6 counts 1.0 as an integer, and JSON has integers beyond 64 bits.
        try:
            return msgspec.convert(payload, self.struct, strict=False)
        except msgspec.ValidationError as problem:
            raise SchemaViolation(self.action, str(problem), error_code(self.protocol, Fault.TYPE)) from None

    def violations(self, payload: Any) -> list[Violation]:
        """Every broken rule of a decoded payload, in document order."""
        if self._validator is None:
            self._validator = jsonschema_rs.validator_for(dict(self.document), validate_formats=False)
        return [_violation(error) for error in self._validator.iter_errors(payload)]

    def check(self, payload: Any) -> None:
        """Raises SchemaViolation, named after the first broken rule."""
        found = self.violations(payload)
        if found:
            first = found[0]
            fault = KEYWORD_FAULTS.get(first.keyword, Fault.PROPERTY)
            problem = f"{first.path}: {first.problem}" if first.path else first.problem
            raise SchemaViolation(self.action, problem, error_code(self.protocol, fault), tuple(found))


@cache
def actions(protocol: Protocol) -> frozenset[str]:
    """Every action whose request the version's schemas define, whoever sends it."""
    names = {name.removesuffix(".json") for name in _files(protocol)}
    return frozenset(name.removesuffix("Request") for name in names if not name.endswith("Response"))


def schema_for(protocol: Protocol, action: str, *, response: bool = False) -> Schema:
    """The schema of an action's call (or of its result). Raises KeyError for an action that the version does not define."""
    return _schema(protocol, action, response)


@cache
def _schema(protocol: Protocol, action: str, response: bool) -> Schema:
    files = _files(protocol)
    ending = "Response" if response else "Request"
    name = next((name for name in (f"{action}{ending}.json", f"{action}.json") if name in files), None)
    if name is None or (response and not name.endswith("Response.json")) or action not in actions(protocol):
        raise KeyError(f"{protocol.value} defines no {action} {ending.lower()}")
    text = (resources.files("ocpp") / _FOLDERS[protocol] / "schemas" / name).read_text(encoding="utf-8-sig")
    return Schema(protocol, action, response, msgspec.json.decode(text))


def decode(protocol: Protocol, action: str, raw: bytes | msgspec.Raw) -> Any:
    """A call's payload as its Struct. Raises SchemaViolation."""
    return schema_for(protocol, action).decode(raw)


def validate_call(protocol: Protocol, action: str, payload: dict[str, Any]) -> None:
    """Raises InvalidCall when a call of ours breaks its schema, or its action is not one of the version."""
    if action not in actions(protocol):
        raise InvalidCall(action, f"is not an action of {protocol.value}")
    try:
        schema_for(protocol, action).check(payload)
    except SchemaViolation as violation:
        raise InvalidCall(action, violation.problem) from None


def payload_of(call: msgspec.Struct) -> dict[str, Any]:
    """A decoded payload as plain JSON values again, without the optional properties that were absent."""
    plain: dict[str, Any] = msgspec.to_builtins(call)
    return plain


@cache
def _files(protocol: Protocol) -> frozenset[str]:
    folder = resources.files("ocpp") / _FOLDERS[protocol] / "schemas"
    return frozenset(entry.name for entry in folder.iterdir() if entry.name.endswith(".json"))


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    """The sentence repeats what was said, unless that is about a person."""
    path = _path(error.instance_path)
    personal = path.rpartition(".")[2].casefold() in PERSONAL
    return Violation(error.kind.name, path, f"breaks {error.kind.name!r}" if personal else error.message)


def _path(parts: list[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
