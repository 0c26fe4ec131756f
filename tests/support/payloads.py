"""Payloads made from the OCPP schemas: the least that is valid, everything at once, and what repair leaves of nothing at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.ocpp.structs import Document, resolve

INSTANT = "2026-03-01T12:00:00Z"


def minimal(document: Document) -> dict[str, Any]:
    """Required properties only."""
    made: dict[str, Any] = _make(document, document, full=False, depth=0)
    return made


def full(document: Document) -> dict[str, Any]:
    """Every property, nested as deep as the schema goes."""
    made: dict[str, Any] = _make(document, document, full=True, depth=0)
    return made


def _make(schema: Document, document: Document, *, full: bool, depth: int) -> Any:
    schema = resolve(schema, document)
    if "enum" in schema:
        return schema["enum"][-1 if full else 0]
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, document, full=full, depth=depth)
    if kind == "array":
        count = max(schema.get("minItems", 0), 1 if full else 0)
        return [_make(schema.get("items", {}), document, full=full, depth=depth + 1) for _ in range(count)]
    if kind is None:
        return {"any": ["thing", 1]} if full else "anything"
    return _scalar(kind, schema)


def _object(schema: Document, document: Document, *, full: bool, depth: int) -> dict[str, Any]:
    properties: Mapping[str, Document] = schema.get("properties", {})
    required = schema.get("required", ())
    wanted = [name for name in properties if name in required or full]
    return {name: _make(properties[name], document, full=full, depth=depth + 1) for name in wanted}


def _scalar(kind: str, schema: Document) -> Any:
    if kind == "string":
        return INSTANT if schema.get("format") == "date-time" else "text"[: schema.get("maxLength", 4)]
    if kind == "boolean":
        return True
    low, high = schema.get("minimum", 1), schema.get("maximum", 1)
    value = min(max(1, low), high if "maximum" in schema else max(1, low))
    return int(value) if kind == "integer" else float(value)
