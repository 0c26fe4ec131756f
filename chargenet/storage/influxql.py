"""InfluxQL, pure: questions as text, answers as rows. Decided here: how the telemetry schema is asked, and how much at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.record import microseconds
from chargenet.ports import TelemetryQuery
from chargenet.storage.lineprotocol import METER, METER_TAGS, NOTHING, STATE_KINDS, field_meaning, field_name, tag_text
from chargenet.storage.ranges import bounded

PAGE = 10_000
"""Points that one question asks for."""

FIELD_KEYS = f'SHOW FIELD KEYS FROM "{METER}"'

REGISTER_FIELD = field_name(ENERGY_REGISTER, "Wh")

Row = dict[str, Any]


def identifier(name: str) -> str:
    """A quoted name."""
    body = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{body}"'


def literal(text: str) -> str:
    """A quoted string."""
    body = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{body}'"


def _tag_is(tag: str, value: str) -> str:
    return f"{identifier(tag)} = {literal(tag_text(value))}"


def _any_of(charge_points: Sequence[str]) -> list[str]:
    if not charge_points:
        return []
    return ["(" + " OR ".join(_tag_is("charge_point", name) for name in charge_points) + ")"]


def _where(start_ns: int | None, end_ns: int | None, conditions: Iterable[str]) -> str:
    times = [] if start_ns is None else [f"time >= {start_ns}"]
    times += [] if end_ns is None else [f"time < {end_ns}"]
    return " AND ".join([*times, *conditions])


def ns(at: datetime) -> int:
    """Nanoseconds since the epoch."""
    return microseconds(at) * 1000


def measurand_fields(answer: Sequence[Row], measurand: str | None) -> list[str]:
    """The answer to FIELD_KEYS → fields that hold the measurand (all of them for None)."""
    meanings = ((row["fieldKey"], field_meaning(row["fieldKey"])) for row in answer if row["fieldType"] == "float")
    return [name for name, meaning in meanings if meaning is not None and measurand in (None, meaning[0])]


def _query_tags(query: TelemetryQuery) -> list[str]:
    connector = [] if query.connector is None else [_tag_is("connector", query.connector)]
    return [*_any_of(query.charge_points), *connector]


def raw_samples(query: TelemetryQuery, fields: Sequence[str], start_ns: int, offset: int) -> str:
    """One page of points from `start_ns`, without the first `offset` of them."""
    chosen = ", ".join(map(identifier, (*fields, "sequence", *METER_TAGS)))
    where = _where(start_ns, ns(query.end), _query_tags(query))
    return f"SELECT {chosen} FROM {identifier(METER)} WHERE {where} LIMIT {PAGE} OFFSET {offset}"  # noqa: S608 - quoted


def steps(query: TelemetryQuery, fields: Sequence[str]) -> str:
    """Down-sampled: one row per series and step."""
    chosen = ", ".join(f"{query.aggregate}({identifier(name)}) AS {identifier(name)}" for name in fields)
    tags = ", ".join(map(identifier, METER_TAGS))
    where = _where(ns(query.start), ns(query.end), _query_tags(query))
    grouped = f"GROUP BY time({query.step_s}s), {tags} fill(none) LIMIT {bounded(query.limit)}"
    return f"SELECT {chosen} FROM {identifier(METER)} WHERE {where} {grouped}"  # noqa: S608 - quoted


def states(charge_point: str, start: datetime, end: datetime, kind: str | None, limit: int) -> str:
    """State changes. Those of one instant are spread over a millisecond (lineprotocol.py): range and limit are a little wider."""
    kinds = ", ".join(identifier(name) for name in STATE_KINDS if kind in (None, name))
    where = _where(ns(start), ns(end) + 1_000_000, [_tag_is("charge_point", charge_point)])
    fields = 'value, detail, sequence, at_us, received_at_us, "connector"'
    return f"SELECT {fields} FROM {kinds} WHERE {where} LIMIT {bounded(limit) + 100}"  # noqa: S608 - quoted


def _register_tags(charge_points: Sequence[str]) -> list[str]:
    outlet = [_tag_is("location", "Outlet"), _tag_is("phase", ""), f"\"connector\" <> '{NOTHING}'"]
    return [*_any_of(charge_points), *outlet]


def registers(charge_points: Sequence[str], start_ns: int, end: datetime, offset: int) -> str:
    """One page of registers from `start_ns`."""
    where = _where(start_ns, ns(end), _register_tags(charge_points))
    fields = f"{identifier(REGISTER_FIELD)}, sequence, charge_point, connector"
    return f"SELECT {fields} FROM {identifier(METER)} WHERE {where} LIMIT {PAGE} OFFSET {offset}"  # noqa: S608 - quoted


def register_before(charge_points: Sequence[str], start: datetime) -> str:
    """The last register before the range, of each connector."""
    return _neighbour("last", _where(None, ns(start), _register_tags(charge_points)))


def register_after(charge_points: Sequence[str], end: datetime) -> str:
    """The first register after the range, of each connector."""
    return _neighbour("first", _where(ns(end), None, _register_tags(charge_points)))


def _neighbour(selector: str, where: str) -> str:
    register = f"{selector}({identifier(REGISTER_FIELD)}) AS {identifier(REGISTER_FIELD)}, sequence"
    return f"SELECT {register} FROM {identifier(METER)} WHERE {where} GROUP BY charge_point, connector"  # noqa: S608 - quoted


def rows(answer: Mapping[str, Any]) -> Iterator[Row]:
    """An answer's rows as mappings; tags of a GROUP BY are columns, `measurement` names where a row is from. Raises ValueError."""
    for result in answer.get("results", ()):
        if "error" in result:
            raise ValueError(result["error"])
        for series in result.get("series", ()):
            common = {"measurement": series.get("name", ""), **series.get("tags", {})}
            for values in series.get("values", ()):
                yield {**common, **dict(zip(series["columns"], values, strict=True))}
