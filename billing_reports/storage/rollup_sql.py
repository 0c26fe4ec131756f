"""Rollups in SQL: the adapter of `billing_reports.rollup_store.RollupStore`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, RowMapping, and_, bindparam, case, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from billing_reports.rollup_hours import seconds_of
from billing_reports.rollup_revenue import added
from billing_reports.rollup_state import PointState, Span
from billing_reports.rollup_store import Batch, Rolled
from billing_reports.rollups import HOUR, HourRevenue, HourRow, HourSeconds, PointSum
from billing_reports.storage import rollup_bulk
from billing_reports.storage import rollup_tables as t
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import advance, chunks, drop_model, given, listed, plain, position, upsert, values

CURSOR = "rollups"
REVENUE_CURSOR = "rollup_revenue"
"""Ordinals of CDRs, not sequences of the journal."""
MAX_HOURS = 20_000
"""Hours of charge points in one SQL transaction, but for one charge point that needs more alone."""
_SUMS = tuple(name for name in PointSum.__struct_fields__ if name != "charge_point_id")
_SECONDS = tuple(name for name in HourSeconds.__struct_fields__ if name.endswith("_s"))
_KEY = ("hour", "charge_point_id", "connector")
_ROW = [t.hourly_rollups.c[name] for name in HourRow.__struct_fields__]
_state = msgspec.msgpack.Decoder(PointState)
_revenue = msgspec.json.Decoder(dict[str, Decimal])


class SqlRollups:
    """Implements `billing_reports.rollup_store.RollupStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        return await self._database.read(lambda connection: position(connection, CURSOR))

    async def states(self, charge_point_ids: Iterable[str]) -> dict[str, bytes]:
        table, names = t.rollup_points, list(charge_point_ids)

        def work(connection: Connection) -> dict[str, bytes]:
            query = select(table.c.charge_point_id, table.c.state).where(table.c.charge_point_id.in_(given(connection)))
            return {row[0]: row[1] for row in connection.execute(query, listed(names))}

        return await self._database.read(work)

    async def save(self, batch: Batch, after: int, upto: int) -> None:
        def work(connection: Connection) -> None:
            advance(connection, CURSOR, after, upto)
            rollup_bulk.save(connection, batch)

        await self._database.write(work)

    async def roll(self, upto: datetime, limit: int = 200) -> Rolled:
        return await self._database.write(lambda connection: _roll(connection, upto, limit))

    async def earned_upto(self) -> int:
        return await self._database.read(lambda connection: position(connection, REVENUE_CURSOR))

    async def earn(self, earned: Sequence[HourRevenue], after: int, upto: int) -> int:
        def work(connection: Connection) -> int:
            advance(connection, REVENUE_CURSOR, after, upto)
            return _earn(connection, earned)

        return await self._database.write(work)

    async def sums(self, start: datetime, end: datetime) -> list[PointSum]:
        c = t.hourly_rollups.c
        columns = [func.sum(c[name]).label(name) for name in _SUMS]
        query = select(c.charge_point_id, *columns).where(c.hour >= start, c.hour < end).group_by(c.charge_point_id)

        def work(connection: Connection) -> list[PointSum]:
            return [
                PointSum(charge_point_id=row[0], **{name: int(value) for name, value in zip(_SUMS, row[1:], strict=True)})
                for row in connection.execute(query)
            ]

        return await self._database.read(work)

    async def rows(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None = None, limit: int = 1000
    ) -> list[HourRow]:
        c = t.hourly_rollups.c
        order = [c[name] for name in _KEY]
        query = select(*_ROW).where(c.hour >= start, c.hour < end).order_by(*order).limit(limit)
        if after is not None:
            hour, charge_point_id, connector = after
            same_hour = and_(c.hour == hour, tuple_(c.charge_point_id, c.connector) > tuple_(charge_point_id, connector))
            query = query.where(or_(c.hour > hour, same_hour))
        return await self._database.read(lambda connection: _rows(connection.execute(query).mappings()))

    async def spans(self, charge_point_ids: Sequence[str], start: datetime, end: datetime) -> list[Span]:
        return await self._database.read(lambda connection: _spans(connection, charge_point_ids, start, end))

    async def points(self) -> dict[str, PointState]:
        table = t.rollup_points
        query = select(table.c.charge_point_id, table.c.state).where(table.c.charge_point_id != "")

        def work(connection: Connection) -> dict[str, PointState]:
            return {row[0]: _state.decode(row[1]) for row in connection.execute(query)}

        return await self._database.read(work)

    async def unexported(self, limit: int = 1000) -> list[HourRow]:
        c = t.hourly_rollups.c
        due = select(*_ROW).where(c.exported.is_(None), c.total_s > 0).order_by(c.hour, c.charge_point_id, c.connector).limit(limit)
        return await self._database.read(lambda connection: _rows(connection.execute(due).mappings()))

    async def exported(self, rows: Sequence[HourRow]) -> None:
        if not rows:
            return
        c = t.hourly_rollups.c
        same = [c[name] == bindparam(f"b_{name}", type_=c[name].type) for name in (*_KEY, "revision")]
        done = update(t.hourly_rollups).where(*same).values(exported=c.revision)
        told = [{f"b_{name}": getattr(row, name) for name in (*_KEY, "revision")} for row in rows]
        await self._database.write(lambda connection: connection.execute(done, told))

    async def reset(self) -> None:
        def work(connection: Connection) -> None:
            drop_model(connection, CURSOR, t.ROLLUP_MODEL)
            drop_model(connection, REVENUE_CURSOR, ())

        await self._database.write(work)


def _rows(found: Iterable[RowMapping]) -> list[HourRow]:
    return [HourRow(**{**row, "revenue": _revenue.decode(row["revenue"])}) for row in found]


def _values(row: HourRow) -> dict[str, Any]:
    return plain(row) | {"revenue": msgspec.json.encode(row.revenue).decode()}


def _inserting(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _earn(connection: Connection, earned: Sequence[HourRevenue]) -> int:
    """Revenue on top of what is there; a complete hour that changes is a new revision of it."""
    table, c = t.hourly_rollups, t.rollup_points.c
    key = [table.c[name] for name in _KEY]
    before: dict[tuple[datetime, str, str], Mapping[str, Decimal]] = {}
    for some in chunks(sorted({each.charge_point_id for each in earned})):
        # Whoever makes hours of these charge points writes rows whole: one of the two waits for the other.
        connection.execute(
            select(c.charge_point_id).where(c.charge_point_id.in_(some)).order_by(c.charge_point_id).with_for_update()
        )
    for part in chunks(earned):
        wanted = tuple_(*key).in_([(each.hour, each.charge_point_id, each.connector) for each in part])
        for row in connection.execute(select(*key, table.c.revenue).where(wanted)):
            before[row[0], row[1], row[2]] = _revenue.decode(row[3])
    rows = []
    for each in earned:
        old = before.get((each.hour, each.charge_point_id, each.connector), {})
        new = added(old, each.revenue)
        if new != old:
            rows.append(_values(HourRow(**msgspec.structs.asdict(each) | {"revenue": new})))
    if rows:
        statement = _inserting(connection)(table)
        changed = {
            "revenue": statement.excluded.revenue,
            "revision": table.c.revision + case((table.c.total_s > 0, 1), else_=0),
            "exported": None,
        }
        connection.execute(statement.on_conflict_do_update(index_elements=list(_KEY), set_=changed), rows)
    return len(rows)


def _spans(connection: Connection, charge_point_ids: Sequence[str], start: datetime, end: datetime) -> list[Span]:
    c = t.connector_spans.c
    found: list[Span] = []
    for some in chunks(charge_point_ids):
        query = (
            select(t.connector_spans)
            .where(c.charge_point_id.in_(some), c.began_at < end, or_(c.ended_at.is_(None), c.ended_at > start))
            .order_by(c.charge_point_id, c.began_at)
        )
        found += values(Span, connection.execute(query).mappings())
    return found


def _roll(connection: Connection, upto: datetime, limit: int) -> Rolled:
    table = t.rollup_points
    c = table.c
    never = and_(c.rolled_upto.is_(None), c.dirty_from < upto)
    due = or_(never, c.rolled_upto < upto, and_(c.rolled_upto.is_not(None), c.dirty_from < c.rolled_upto))
    query = select(table).where(c.charge_point_id != "", due).order_by(c.charge_point_id).limit(limit).with_for_update()
    points: list[Row[Any]] = []
    starts: dict[str, datetime] = {}
    hours = 0.0
    for row in connection.execute(query):
        start = min(each for each in (row.dirty_from, row.rolled_upto) if each is not None)
        hours += (upto - start) / HOUR
        if points and hours > MAX_HOURS:
            break
        points.append(row)
        starts[row.charge_point_id] = start
    if not points:
        return Rolled(0, 0, 0)
    spans: dict[str, list[Span]] = {name: [] for name in starts}
    for span in _spans(connection, list(starts), min(starts.values()), upto):
        spans[span.charge_point_id].append(span)
    made: list[HourSeconds] = []
    for row in points:
        name = row.charge_point_id
        made += seconds_of(name, _state.decode(row.state), spans[name], starts[name], upto)
    restated = _put_seconds(connection, made, list(starts), min(starts.values()), upto)
    # What is dirty in the hour that still runs is made when that hour is over.
    connection.execute(table.update().where(c.charge_point_id.in_(list(starts))).values(rolled_upto=upto, dirty_from=None))
    return Rolled(len(points), len(made), restated)


def _put_seconds(connection: Connection, made: Sequence[HourSeconds], names: Sequence[str], start: datetime, end: datetime) -> int:
    """Writes seconds and leaves amounts; returns how many complete hours changed."""
    table = t.hourly_rollups
    c = table.c
    query = select(*_ROW).where(c.charge_point_id.in_(names), c.hour >= start, c.hour < end)
    before = {(row.hour, row.charge_point_id, row.connector): row for row in _rows(connection.execute(query).mappings())}
    rows, restated = [], 0
    for each in made:
        old = before.get((each.hour, each.charge_point_id, each.connector))
        seconds = {name: getattr(each, name) for name in _SECONDS}
        new = HourRow(**msgspec.structs.asdict(each)) if old is None else msgspec.structs.replace(old, **seconds)
        if old is not None and new == old:
            continue
        if old is not None and old.total_s:
            restated += 1
            new = msgspec.structs.replace(new, revision=old.revision + 1)
        rows.append(_values(new) | {"exported": None})
    upsert(connection, table, rows)
    return restated
