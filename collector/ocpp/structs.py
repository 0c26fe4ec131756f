"""JSON schema → msgspec Struct. Decided here: how each keyword that OCPP's schemas use becomes a type.

Only what those schemas contain is translated; a keyword that is not known stops the start-up rather than being ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

Document = Mapping[str, Any]

_ANNOTATIONS = frozenset(
    {"$schema", "$id", "id", "title", "description", "comment", "javaType", "default", "format", "definitions"}
)
_SHAPES = {
    "object": frozenset({"properties", "required", "additionalProperties"}),
    "array": frozenset({"items", "additionalItems", "minItems", "maxItems", "additionalProperties"}),
    "string": frozenset({"enum", "maxLength", "minLength", "additionalProperties"}),
    "integer": frozenset({"minimum", "maximum", "additionalProperties"}),
    "number": frozenset({"minimum", "maximum", "multipleOf", "additionalProperties"}),
    "boolean": frozenset({"additionalProperties"}),
}
_BOUNDS = {"minLength": "min_length", "maxLength": "max_length", "minItems": "min_length", "maxItems": "max_length"}
_RANGES = {"minimum": "ge", "maximum": "le"}
MAX_INTEGER = 2**63 - 1


def struct_of(name: str, document: Document) -> type[msgspec.Struct]:
    """The type of a whole payload. Attributes are spelled as in the schema; absent optional ones are None, `null` is refused."""
    made: type[msgspec.Struct] = _Translator(document).object(name, document)
    return made


def resolve(schema: Document, document: Document) -> Document:
    """The schema that a `$ref` of `document` points to, or `schema` itself."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Document = document["definitions"][reference.removeprefix("#/definitions/")]
    return resolve(target, document)


class _Translator:
    """One document; its definitions are translated once each."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._made: dict[str, Any] = {}

    def object(self, name: str, schema: Document) -> Any:
        self._check(name, schema)
        properties: Mapping[str, Document] = schema.get("properties", {})
        required = tuple(schema.get("required", ()))
        fields: list[Any] = [(key, self.type(f"{name}_{key}", properties.get(key, {}))) for key in required]
        fields += [(key, self.type(f"{name}_{key}", of), None) for key, of in properties.items() if key not in required]
        closed = schema.get("additionalProperties", True) is False
        return msgspec.defstruct(
            name, fields, kw_only=True, forbid_unknown_fields=closed, omit_defaults=True, frozen=True, gc=False
        )

    def type(self, name: str, schema: Document) -> Any:
        reference = schema.get("$ref")
        if reference is not None:
            if reference not in self._made:
                self._made[reference] = self.type(reference.rpartition("/")[2], resolve(schema, self._document))
            return self._made[reference]
        shape = schema.get("type")
        if shape is None:
            return Any
        if shape == "object":
            return self.object(name, schema)
        self._check(name, schema)
        if shape == "array":
            return _bounded(list[self.type(f"{name}_item", schema.get("items", {}))], schema, _BOUNDS)  # type: ignore[misc]
        if shape == "string":
            return Literal[tuple(schema["enum"])] if "enum" in schema else _bounded(str, schema, _BOUNDS)
        if shape == "boolean":
            return bool
        return _bounded(float, schema, _RANGES) if shape == "number" else Annotated[int, msgspec.Meta(**_whole(schema))]

    def _check(self, name: str, schema: Document) -> None:
        unknown = set(schema) - _ANNOTATIONS - _SHAPES[schema["type"]] - {"type"}
        if unknown:
            raise NotImplementedError(f"{name}: schema keywords {sorted(unknown)} are not translated")


def _whole(schema: Document) -> dict[str, Any]:
    """Bounds of an integer. OCPP's are 32 bit; what no database can hold (64 bit) is not taken for one, whatever JSON allows."""
    low, high = int(schema.get("minimum", -MAX_INTEGER - 1)), int(schema.get("maximum", MAX_INTEGER))
    return {"ge": max(low, -MAX_INTEGER - 1), "le": min(high, MAX_INTEGER)}


def _bounded(base: Any, schema: Document, words: Mapping[str, str]) -> Any:
    # Some schemas write whole bounds as 0.0.
    limits: dict[str, Any] = {
        ours: schema[theirs] if base is float else int(schema[theirs]) for theirs, ours in words.items() if theirs in schema
    }
    return Annotated[base, msgspec.Meta(**limits)] if limits else base
