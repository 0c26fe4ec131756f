"""What one batch of facts gives the rollups, written by the driver's own executemany. Decided here: how it joins what is there.

Through SQLAlchemy's bind processing these rows cost twice as much, and a network that comes back writes one of each for every
charge point. All names in the SQL are those of rollup_tables; values are parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from billing_reports.rollup_store import Batch
from billing_reports.rollups import HourAmounts
from billing_reports.storage import rollup_tables as t
from chargenet.storage.relational_bulk import converters, placeholder, write_rows

_AMOUNTS = ("hour", "charge_point_id", "connector", "energy_wh", "sessions")
_NOTHING = tuple(
    column.name for column in t.hourly_rollups.columns if not column.nullable and column.name not in (*_AMOUNTS, "revenue")
)

_ADD = f"""
    INSERT INTO hourly_rollups AS old ({", ".join(_AMOUNTS)}, {", ".join(_NOTHING)}, revenue)
    VALUES (?, ?, ?, ?, ?, {", ".join("0" for _ in _NOTHING)}, '{{}}')
    ON CONFLICT (hour, charge_point_id, connector) DO UPDATE SET
        energy_wh = old.energy_wh + excluded.energy_wh, sessions = old.sessions + excluded.sessions,
        revision = old.revision + CASE WHEN old.total_s > 0 THEN 1 ELSE 0 END, exported = NULL
"""  # noqa: S608 - names of our own tables
"""Energy and sessions on top of what is there; a complete hour that changes is a new revision of it."""

_PUT = """
    INSERT INTO rollup_points AS old (charge_point_id, state, dirty_from) VALUES (?, ?, ?)
    ON CONFLICT (charge_point_id) DO UPDATE SET state = excluded.state
"""
_PUT_DIRTY = f"""{_PUT},
        dirty_from = CASE WHEN old.dirty_from < excluded.dirty_from THEN old.dirty_from ELSE excluded.dirty_from END
"""
"""States replace; the earliest dirty hour stays the earliest."""


def save(connection: Connection, batch: Batch) -> None:
    """All of it; the caller moves the position in the same transaction."""
    write_rows(connection, t.connector_spans, batch.spans)
    _add(connection, batch.amounts)
    _put(connection, batch.states, batch.dirty)


def _add(connection: Connection, amounts: Sequence[HourAmounts]) -> None:
    convert = converters(connection.dialect.name)
    hours = {each.hour for each in amounts}
    at = {hour: convert[datetime](hour) for hour in hours}
    _execute(connection, _ADD, [(at[row.hour], row.charge_point_id, row.connector, row.energy_wh, row.sessions) for row in amounts])


def _put(connection: Connection, states: Mapping[str, bytes], dirty: Mapping[str, datetime]) -> None:
    convert = converters(connection.dialect.name)[datetime]
    _execute(connection, _PUT, [(name, state, None) for name, state in states.items() if name not in dirty])
    _execute(connection, _PUT_DIRTY, [(name, states[name], convert(hour)) for name, hour in dirty.items() if name in states])


def _execute(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        connection.exec_driver_sql(statement.replace("?", placeholder(connection.dialect.name)), list(rows))
