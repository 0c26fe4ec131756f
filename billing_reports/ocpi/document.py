"""JSON of OCPI as values with a place. Decided here: which version a document is, how mistakes are named and numbers written.

A mistake is told as `tariff.json: elements[0].price_components[1].price: …`, and nothing of a document with a mistake is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from billing_reports.money import round_amount
from chargenet.errors import ChargewatchError

Converted = TypeVar("Converted")
_PLACE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_WORDS = (
    (re.compile(r"^Object missing required field `(?P<name>[^`]+)`$"), "is missing"),
    (re.compile(r"^Object contains unknown field `(?P<name>[^`]+)`$"), "is no field of OCPI; what it means cannot be guessed"),
)
_LARGEST = 2_000_000
"""Characters of a document; the largest real CDRs, with signed data, have a tenth of it."""


class Version(StrEnum):
    """Versions of OCPI that are read and written."""

    V211 = "2.1.1"
    V221 = "2.2.1"
    V230 = "2.3.0"


class OcpiError(ChargewatchError):
    """A document that cannot be used. `source` is its file or sender, `path` the place in it, e.g. `elements[0].restrictions`."""

    def __init__(self, source: str, path: str, problem: str) -> None:
        super().__init__(f"{source}: {path}: {problem}" if path else f"{source}: {problem}")
        self.source, self.path, self.problem = source, path, problem


def load_json(text: str | bytes, source: str) -> Any:
    """JSON with exact decimals; an OCPI response is opened to its `data`. OcpiError for text that is no JSON, NaN, or too much."""
    if len(text) > _LARGEST:
        raise OcpiError(source, "", f"has {len(text)} characters; at most {_LARGEST} are read")

    def refuse(name: str) -> Any:
        raise OcpiError(source, "", f"{name} is no number of JSON")

    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise OcpiError(source, "", f"is not JSON: {error}") from None
    if isinstance(value, dict) and "data" in value and "status_code" in value:
        value = value["data"]
    return value


def version_of(document: Mapping[str, Any]) -> Version:
    """The version that a tariff or CDR is written in, by fields that only one version has; 2.2.1 where nothing tells."""
    text = json.dumps(document, default=str)
    if '"before_taxes"' in text or '"tax_included"' in text:
        return Version.V230
    if "stop_date_time" in document or "auth_id" in document or isinstance(document.get("total_cost"), int | float | Decimal):
        return Version.V211
    modern = ("country_code", "party_id", "cdr_token", "min_price", "max_price", "tariff_alt_text_")
    if any(name in document for name in modern) or '"vat"' in text or '"excl_vat"' in text:
        return Version.V221
    return Version.V211 if "elements" in document and "id" in document and "last_updated" in document else Version.V221


def without_nulls(value: Any) -> Any:
    """The same without members that are null: OCPI leaves out what is not there, some senders write null."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value


def convert(value: Any, kind: type[Converted], source: str, at: str = "") -> Converted:
    """`value` as a Struct; an OcpiError names the place inside `value`, behind the prefix `at`."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _PLACE.match(str(error))
        problem, path = (found["problem"], found["path"] or "") if found else (str(error), "")
        for pattern, words in _WORDS:
            if named := pattern.match(problem):
                path, problem = f"{path}.{named['name']}".strip("."), words
        raise OcpiError(source, _join(at, path), problem.replace("`", "").replace("Expected", "expected", 1)) from None


def object_of(value: Any, source: str, what: str) -> dict[str, Any]:
    """A JSON object, or an OcpiError."""
    if not isinstance(value, dict):
        raise OcpiError(source, "", f"is no {what}: it is not a JSON object")
    return value


def utc(at: datetime) -> datetime:
    """OCPI instants are UTC, with or without the Z."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def number(value: Decimal) -> Decimal:
    """An OCPI number: four decimals, half up, none that do not matter."""
    rounded = round_amount(value, 4).normalize()
    return Decimal(int(rounded)) if rounded == rounded.to_integral_value() else rounded


def when(at: datetime) -> str:
    """An OCPI instant, in UTC with Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds").replace("+00:00", "Z")


def _join(at: str, path: str) -> str:
    return f"{at}.{path}".strip(".") if not path.startswith("[") else f"{at}{path}"
