"""How routes take and give values: instants, ids, pages, JSON. Decided here: spelling and bounds that all resources share."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from fastapi import Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from starlette.responses import Response

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
SLICE = 5_000
"""Items that become JSON without a pause: a few milliseconds."""

_TEMPLATE = "#/components/schemas/{name}"
_REGISTERED: dict[str, Any] = {}


def json(value: Any, status: int = 200) -> Response:
    """Any value of ours as JSON; instants leave as ISO 8601 in UTC, with Z."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


async def sliced(items: Sequence[Any]) -> bytes:
    """A JSON array, as `json` writes it, with a breath of the event loop every SLICE items."""
    parts = []
    for start in range(0, len(items), SLICE):
        parts.append(msgspec.json.encode(items[start : start + SLICE])[1:-1])
        await asyncio.sleep(0)
    return b"[" + b",".join(parts) + b"]"


def encoded(body: bytes) -> Response:
    """JSON text as it is."""
    return Response(body, media_type="application/json")


def returns(kind: Any, description: str, status: int = 200, example: Any = None) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a success; its schema comes from the type that the route really sends."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    _REGISTERED.update(components)
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {status: {"description": description, "content": {"application/json": content}}}


def schema_of(kind: Any) -> dict[str, Any]:
    """A JSON schema that refers to the components of the OpenAPI document."""
    (schema,), components = msgspec.json.schema_components([kind], ref_template=_TEMPLATE)
    _REGISTERED.update(components)
    return dict(schema)


def components() -> dict[str, Any]:
    """Every schema that `returns` and `schema_of` refer to, for the OpenAPI document."""
    return dict(_REGISTERED)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with a zone. Raises ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("expected an instant with a zone, for example 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("expected an instant between the years 1 and 9999") from error


def _instant(value: Any) -> Any:
    return parse_instant(value) if isinstance(value, str) else value


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("expected an instant with a zone, for example 2026-01-31T12:00:00Z")
    return value


def _usable(name: str) -> str:
    if not name.isprintable() or name.strip() != name:
        raise ValueError("expected printable characters without blanks around them")
    return name


SLASH = "\ue02f"
"""Stands for an encoded slash inside one part of a path (middleware.py puts it there): it is not printable, so no name has it."""


def _part(name: str) -> str:
    return _usable(name.replace(SLASH, "/"))


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("expected printable characters")
    return text


Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    AfterValidator(_aware),
    WithJsonSchema({"type": "string", "format": "date-time", "example": "2026-01-31T12:00:00Z"}),
]
UsableName = Annotated[str, AfterValidator(_usable)]
Text = Annotated[str, AfterValidator(_printable)]
ChargePointId = Annotated[
    str,
    AfterValidator(_part),
    Path(description="The OCPP identity, percent-encoded.", min_length=1, max_length=255, examples=["CP-1"]),
]
Name = Annotated[str, AfterValidator(_part), Path(min_length=1, max_length=255)]
Cursor = Annotated[
    str | None,
    AfterValidator(lambda value: value if value is None else _printable(value)),
    Query(max_length=1024, description="`next_cursor` of the page before."),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many items.")]


def only_known_parameters(request: Request) -> None:
    """A misspelt filter must not quietly give everything: a query parameter that the route does not know is refused."""
    given = set(request.query_params)
    if not given:
        return
    known = _parameters(request.scope["route"])
    for name in sorted(given - known):
        close = difflib.get_close_matches(name, known, 1, 0.6)
        hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"
        raise RequestValidationError([{"loc": ("query", name), "msg": f"is no parameter; {hint}"}])


def _parameters(route: APIRoute) -> frozenset[str]:
    return frozenset(field.alias for field in route.dependant.query_params)


def filter_text(description: str, max_length: int = 255) -> Any:
    """A query parameter that filters by a text."""
    return Query(min_length=1, max_length=max_length, description=description)


def described(kinds: Iterable[str]) -> str:
    """`a`, `b` or `c`, for descriptions."""
    *most, last = [f"`{kind}`" for kind in kinds]
    return f"{', '.join(most)} or {last}" if most else last
