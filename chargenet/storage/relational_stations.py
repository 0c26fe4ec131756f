"""Charge points, connectors and their history in SQL: the adapter of `chargenet.stores.Stations`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, or_, select, tuple_

from chargenet.model.station import ChargePoint, ChargePointEvent, ChargePointState, ConnectorState, Upload
from chargenet.storage import paging, tables
from chargenet.storage.relational_bulk import update_rows, write_rows
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import advance, containing, drop_model, given, listed, position, values
from chargenet.stores import Page, StationChanges

MODEL = "stations"
_points, _plugs, _events, _uploads = tables.charge_points, tables.connectors, tables.charge_point_events, tables.uploads
_registered = tables.registrations


class SqlStations:
    """Implements `chargenet.stores.Stations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        return await self._database.read(lambda connection: position(connection, MODEL))

    async def load(self, charge_point_ids: Iterable[str]) -> tuple[list[ChargePointState], list[ConnectorState]]:
        wanted = list(charge_point_ids)

        def work(connection: Connection) -> tuple[list[ChargePointState], list[ConnectorState]]:
            ids, some = given(connection), listed(wanted)
            points = connection.execute(select(_points).where(_points.c.charge_point_id.in_(ids)), some).mappings()
            plugs = connection.execute(select(_plugs).where(_plugs.c.charge_point_id.in_(ids)), some).mappings()
            return values(ChargePointState, points), values(ConnectorState, plugs)

        return await self._database.read(work)

    async def save(self, changes: StationChanges, after: int, upto: int) -> None:
        def work(connection: Connection) -> None:
            advance(connection, MODEL, after, upto)
            _write_points(connection, changes)
            write_rows(connection, _plugs, changes.connectors)
            write_rows(connection, _events, changes.events)
            write_rows(connection, _uploads, changes.uploads)

        await self._database.write(work)

    async def reset(self) -> None:
        await self._database.write(lambda connection: drop_model(connection, MODEL, tables.STATION_MODEL))

    async def charge_points(
        self,
        *,
        site_id: str | None = None,
        registration: str | None = None,
        connected: bool | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePoint]:
        limit = paging.bounded(limit)
        query, known = _charge_points()
        if site_id is not None:
            query = query.where(_registered.c.site_id == site_id)
        if registration is not None:
            query = query.where(_registered.c.registration == registration)
        if connected is not None:
            query = query.where(func.coalesce(_points.c.connected, False).is_(connected))
        if search:
            columns = (known, _points.c.vendor, _points.c.model, _points.c.serial_number)
            query = query.where(or_(*(func.lower(column).like(containing(search), escape="\\") for column in columns)))
        if (key := paging.decode(cursor, str)) is not None:
            query = query.where(known > key[0])
        query = query.order_by(known).limit(limit + 1)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return paging.page([_charge_point(row) for row in rows], limit, lambda row: (row.charge_point_id,))

    async def charge_point(self, charge_point_id: str) -> ChargePoint | None:
        query, known = _charge_points()
        row = await self._database.read(
            lambda connection: connection.execute(query.where(known == charge_point_id)).mappings().one_or_none()
        )
        return None if row is None else _charge_point(row)

    async def connectors(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ConnectorState]:
        limit = paging.bounded(limit)
        order = (_plugs.c.charge_point_id, _plugs.c.evse_id, _plugs.c.connector_id, _plugs.c.connector)
        query = select(_plugs).order_by(*order).limit(limit + 1)
        if charge_point_id is not None:
            query = query.where(_plugs.c.charge_point_id == charge_point_id)
        if site_id is not None:
            at_site = select(_registered.c.charge_point_id).where(_registered.c.site_id == site_id)
            query = query.where(_plugs.c.charge_point_id.in_(at_site))
        if status is not None:
            query = query.where(_plugs.c.status == status)
        if (key := paging.decode(cursor, str, int, int, str)) is not None:
            query = query.where(tuple_(*order) > tuple_(*key))
        rows = await self._database.read(lambda connection: values(ConnectorState, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.charge_point_id, row.evse_id, row.connector_id, row.connector))

    async def events(
        self,
        *,
        charge_point_id: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePointEvent]:
        limit = paging.bounded(limit)
        query = select(_events).order_by(_events.c.sequence.desc(), _events.c.ordinal.desc()).limit(limit + 1)
        if charge_point_id is not None:
            query = query.where(_events.c.charge_point_id == charge_point_id)
        if kind is not None:
            query = query.where(_events.c.kind == kind)
        if since is not None:
            query = query.where(_events.c.received_at >= since)
        if (key := paging.decode(cursor, int, int)) is not None:
            query = query.where(tuple_(_events.c.sequence, _events.c.ordinal) < tuple_(*key))
        rows = await self._database.read(lambda connection: values(ChargePointEvent, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.sequence, row.ordinal))

    async def uploads(self, *, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Upload]:
        limit = paging.bounded(limit)
        query = select(_uploads).order_by(_uploads.c.sequence.desc(), _uploads.c.file_id.desc()).limit(limit + 1)
        if charge_point_id is not None:
            query = query.where(_uploads.c.charge_point_id == charge_point_id)
        if (key := paging.decode(cursor, int, str)) is not None:
            query = query.where(tuple_(_uploads.c.sequence, _uploads.c.file_id) < tuple_(*key))
        rows = await self._database.read(lambda connection: values(Upload, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.sequence, row.file_id))

    async def upload(self, file_id: str) -> Upload | None:
        query = select(_uploads).where(_uploads.c.file_id == file_id)
        rows = await self._database.read(lambda connection: values(Upload, connection.execute(query).mappings()))
        return rows[0] if rows else None


def _write_points(connection: Connection, changes: StationChanges) -> None:
    stored = [row for row in changes.charge_points if row.charge_point_id in changes.changed]
    update_rows(connection, _points, stored, [changes.changed[row.charge_point_id] for row in stored])
    write_rows(connection, _points, [row for row in changes.charge_points if row.charge_point_id not in changes.changed])


_STATE_FIELDS = tuple(column.name for column in _points.columns if column.name != "charge_point_id")


def _charge_points() -> tuple[Select[Any], Any]:
    """All that are registered or were seen, and the column of their id."""
    known = select(_points.c.charge_point_id).union(select(_registered.c.charge_point_id)).subquery("known")
    names = ("registration", "site_id", "note", "tags", "hardware")
    decided = (*(_registered.c[name] for name in names), _registered.c.password_hash.is_not(None).label("has_password"))
    joined = known.outerjoin(_points, _points.c.charge_point_id == known.c.charge_point_id).outerjoin(
        _registered, _registered.c.charge_point_id == known.c.charge_point_id
    )
    state = (_points.c[name] for name in _STATE_FIELDS)
    columns = (known.c.charge_point_id, *decided, *state)
    return select(*columns).select_from(joined), known.c.charge_point_id


def _charge_point(row: RowMapping) -> ChargePoint:
    charge_point_id = row["charge_point_id"]
    state = (
        ChargePointState(charge_point_id=charge_point_id)
        if row["sequence"] is None
        else ChargePointState(charge_point_id=charge_point_id, **{name: row[name] for name in _STATE_FIELDS})
    )
    return ChargePoint(
        charge_point_id=charge_point_id,
        registration=row["registration"],
        site_id=row["site_id"],
        note=row["note"],
        tags=row["tags"],
        hardware=row["hardware"],
        has_password=bool(row["has_password"]),
        state=state,
    )
