"""The embedded telemetry's tables and questions, as SQL text. Decided here: the schema on disk. Nothing is executed here.

Rows are appended in the order in which facts come and never changed; a repeated value is a second row, and the later row counts
when it is read. Instants are UTC microseconds. `at_us` is what rows are ordered and asked by (see points.py).
"""

from __future__ import annotations

from typing import Any

from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.record import microseconds
from chargenet.ports import TelemetryQuery
from chargenet.storage.ranges import bounded, step_us

SCHEMA_VERSION = 1

TABLES = ("samples", "states", "series", "progress", "about")

CREATE = """
create table samples (
    series integer not null, at_us bigint not null, measured_us bigint, received_us bigint not null,
    value double not null, transaction_id varchar, sequence bigint not null
);
create table states (
    at_us bigint not null, received_us bigint not null, charge_point varchar not null, connector varchar not null,
    kind varchar not null, value varchar not null, detail varchar not null, sequence bigint not null
);
create table series (
    id integer not null, charge_point varchar not null, connector varchar not null, measurand varchar not null,
    phase varchar not null, location varchar not null, context varchar not null, unit varchar not null
);
create table progress (upto bigint not null);
create table about (schema_version integer not null);
insert into progress values (0);
"""

KNOWN_SERIES = "select id, charge_point, connector, measurand, phase, location, context, unit from series"

_CHOSEN = """chosen as (
    select * from series where (len($charge_points) = 0 or list_contains($charge_points, charge_point))
    and ($connector is null or connector = $connector) and ($measurand is null or measurand = $measurand)
)"""

_ONCE = """once as (
    select series, at_us, arg_max(value, samples.rowid) as value, arg_max(sequence, samples.rowid) as sequence from samples
    where at_us >= $start and at_us < $end and series in (select id from chosen) group by series, at_us
)"""

_LABELS = "charge_point, connector, measurand, phase, location, context, unit"

_ORDERED = f"order by at_us, {_LABELS} limit $limit"

RAW = f"with {_CHOSEN}, {_ONCE} select {_LABELS}, at_us, value, sequence from once join chosen on id = series {_ORDERED}"  # noqa: S608

AGGREGATES = {
    "mean": "avg(value)",
    "min": "min(value)",
    "max": "max(value)",
    "first": "arg_min(value, at_us)",
    "last": "arg_max(value, at_us)",
    "sum": "sum(value)",
    "count": "count(*)::double",
}

STATES = """
select at_us, received_us, charge_point, connector, kind, value, detail, sequence from states
where charge_point = $charge_point and at_us >= $start and at_us < $end and ($kind is null or kind = $kind)
order by at_us, sequence, rowid limit $limit
"""

REGISTER_SERIES = f"""
select id, charge_point, connector from series
where measurand = '{ENERGY_REGISTER}' and unit = 'Wh' and location = 'Outlet' and phase = '' and connector <> ''
and (len($charge_points) = 0 or list_contains($charge_points, charge_point))
order by charge_point, connector, id
"""  # noqa: S608 - a constant of ours

COUNT_REGISTERS = "select count(*) from samples where at_us >= $start and at_us < $end and series in (select series from registers)"

REGISTERS = """
with chosen as (
    select key, at_us, value, sequence from samples join registers using (series) where key >= $first_key and key < $last_key
), before as (select key, max(at_us) as at_us from chosen where at_us < $start group by key
), after as (select key, min(at_us) as at_us from chosen where at_us >= $end group by key)
select * from chosen where at_us >= $start and at_us < $end
union all select chosen.* from chosen join before using (key, at_us)
union all select chosen.* from chosen join after using (key, at_us)
"""


def samples_query(query: TelemetryQuery) -> tuple[str, dict[str, Any]]:
    """SQL and its parameters: seven labels, instant, value and sequence of each sample, in time order."""
    parameters: dict[str, Any] = {
        "charge_points": list(query.charge_points),
        "connector": query.connector,
        "measurand": query.measurand,
        "start": microseconds(query.start),
        "end": microseconds(query.end),
        "limit": bounded(query.limit),
    }
    step = step_us(query)
    if step is None:
        return RAW, parameters
    sql = f"""with {_CHOSEN}, {_ONCE}, steps as (
        select series, at_us // $step * $step as at_us, {AGGREGATES[query.aggregate]} as value from once group by series, 2
    ) select {_LABELS}, at_us, value, 0 from steps join chosen on id = series {_ORDERED}"""  # noqa: S608 - parts of our own
    return sql, {**parameters, "step": step}
