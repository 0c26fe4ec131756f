"""Primary data in SQL: sites, registrations, tokens, audit and floors. Nothing here is ever dropped by a rebuild."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from chargenet.errors import Conflict, NotFound
from chargenet.model.audit import AuditEntry
from chargenet.model.station import ChargePointRegistration, Site
from chargenet.model.text import storable_text
from chargenet.model.token import TokenRow
from chargenet.storage import paging, tables
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, containing, plain, upsert, values
from chargenet.stores import Page

_sites, _registered, _tokens, _audit, _floors = tables.sites, tables.registrations, tables.tokens, tables.audit, tables.floors


class SqlSites:
    """Implements `chargenet.stores.Sites`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, site: Site) -> Site | None:
        def work(connection: Connection) -> Site | None:
            before = _site(connection, site.site_id)
            upsert(connection, _sites, [plain(site)])
            return before

        return await self._database.write(work)

    async def get(self, site_id: str) -> Site | None:
        return await self._database.read(lambda connection: _site(connection, site_id))

    async def remove(self, site_id: str) -> Site:
        def work(connection: Connection) -> Site:
            site = _site(connection, site_id)
            if site is None:
                raise NotFound("site", site_id)
            count = connection.execute(select(func.count()).where(_registered.c.site_id == site_id)).scalar_one()
            if count:
                raise Conflict(f"site {site_id!r} still has {count} charge points")
            connection.execute(delete(_sites).where(_sites.c.site_id == site_id))
            return site

        return await self._database.write(work)

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Site]:
        limit = paging.bounded(limit)
        query = select(_sites).order_by(_sites.c.site_id).limit(limit + 1)
        if (key := paging.decode(cursor, str)) is not None:
            query = query.where(_sites.c.site_id > key[0])
        rows = await self._database.read(lambda connection: values(Site, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.site_id,))


class SqlRegistrations:
    """Implements `chargenet.stores.Registrations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, row: ChargePointRegistration) -> ChargePointRegistration | None:
        def work(connection: Connection) -> ChargePointRegistration | None:
            if row.site_id is not None and _site(connection, row.site_id) is None:
                raise NotFound("site", row.site_id)
            before = _registration(connection, row.charge_point_id)
            upsert(connection, _registered, [plain(row)])
            return before

        return await self._database.write(work)

    async def get(self, charge_point_id: str) -> ChargePointRegistration | None:
        return await self._database.read(lambda connection: _registration(connection, charge_point_id))

    async def remove(self, charge_point_id: str) -> ChargePointRegistration:
        def work(connection: Connection) -> ChargePointRegistration:
            row = _registration(connection, charge_point_id)
            if row is None:
                raise NotFound("charge point", charge_point_id)
            connection.execute(delete(_registered).where(_registered.c.charge_point_id == charge_point_id))
            return row

        return await self._database.write(work)

    async def everything(self) -> list[ChargePointRegistration]:
        query = select(_registered).order_by(_registered.c.charge_point_id)
        return await self._database.read(lambda connection: values(ChargePointRegistration, connection.execute(query).mappings()))


class SqlTokens:
    """Implements `chargenet.stores.Tokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, rows: Sequence[TokenRow]) -> int:
        latest = {storable_text(row.value).casefold(): row for row in rows}

        def work(connection: Connection) -> int:
            created: dict[str, datetime | None] = {}
            for keys in chunks(latest):
                present = select(_tokens.c.key, _tokens.c.created_at).where(_tokens.c.key.in_(keys))
                created.update((key, at) for key, at in connection.execute(present))
            new = [plain(row) | {"key": key, "created_at": created.get(key, row.created_at)} for key, row in latest.items()]
            upsert(connection, _tokens, new)
            return len(latest) - len(created)

        return await self._database.write(work)

    async def get(self, value: str) -> TokenRow | None:
        return await self._database.read(lambda connection: _token(connection, value))

    async def remove(self, value: str) -> TokenRow:
        def work(connection: Connection) -> TokenRow:
            row = _token(connection, value)
            if row is None:
                raise NotFound("token", value)
            connection.execute(delete(_tokens).where(_tokens.c.key == row.key))
            return row

        return await self._database.write(work)

    async def page(
        self, *, status: str | None = None, search: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[TokenRow]:
        limit = paging.bounded(limit)
        query = select(_tokens).order_by(_tokens.c.key).limit(limit + 1)
        if status is not None:
            query = query.where(_tokens.c.status == status)
        if search:
            query = query.where(_tokens.c.key.like(containing(search.casefold()), escape="\\"))
        if (key := paging.decode(cursor, str)) is not None:
            query = query.where(_tokens.c.key > key[0])
        rows = await self._database.read(lambda connection: [_token_value(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (row.key,))

    async def everything(self) -> list[TokenRow]:
        query = select(_tokens).order_by(_tokens.c.key)
        return await self._database.read(lambda connection: [_token_value(row) for row in connection.execute(query).mappings()])


class SqlAudit:
    """Implements `chargenet.stores.Audit`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, entry: AuditEntry) -> AuditEntry:
        row = plain(entry) | {name: _json(getattr(entry, name)) for name in ("before", "after")}
        del row["audit_id"]

        def work(connection: Connection) -> AuditEntry:
            key = connection.execute(insert(_audit).values(row)).inserted_primary_key
            assert key is not None
            return msgspec.structs.replace(entry, audit_id=key[0])

        return await self._database.write(work)

    async def page(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[AuditEntry]:
        limit = paging.bounded(limit)
        query = select(_audit).order_by(_audit.c.audit_id.desc()).limit(limit + 1)
        for column, wanted in ((_audit.c.who, who), (_audit.c.action, action), (_audit.c.target, target)):
            if wanted is not None:
                query = query.where(column == wanted)
        if since is not None:
            query = query.where(_audit.c.at >= since)
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(_audit.c.audit_id < key[0])
        rows = await self._database.read(lambda connection: [_entry(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (row.audit_id,))


class SqlFloors:
    """Implements `chargenet.stores.Floors`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, name: str) -> int:
        query = select(_floors.c.value).where(_floors.c.name == name)
        return await self._database.read(lambda connection: connection.execute(query).scalar() or 0)

    async def raise_to(self, name: str, value: int) -> int:
        return await self._database.write(lambda connection: raise_floor(connection, name, value))


def raise_floor(connection: Connection, name: str, value: int) -> int:
    """Raise one floor inside someone's transaction; the floor after it."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_floors).values(name=name, value=value)
    higher = statement.on_conflict_do_update(
        index_elements=["name"], set_={"value": statement.excluded.value}, where=_floors.c.value < statement.excluded.value
    )
    connection.execute(higher)
    return int(connection.execute(select(_floors.c.value).where(_floors.c.name == name)).scalar_one())


def _site(connection: Connection, site_id: str) -> Site | None:
    rows = values(Site, connection.execute(select(_sites).where(_sites.c.site_id == site_id)).mappings())
    return rows[0] if rows else None


def _registration(connection: Connection, charge_point_id: str) -> ChargePointRegistration | None:
    query = select(_registered).where(_registered.c.charge_point_id == charge_point_id)
    rows = values(ChargePointRegistration, connection.execute(query).mappings())
    return rows[0] if rows else None


def _token(connection: Connection, value: str) -> TokenRow | None:
    query = select(_tokens).where(_tokens.c.key == storable_text(value).casefold())
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _token_value(row)


def _token_value(row: Any) -> TokenRow:
    return TokenRow(**{name: value for name, value in row.items() if name != "key"})


def _entry(row: Any) -> AuditEntry:
    texts = {name: None if row[name] is None else msgspec.json.decode(row[name]) for name in ("before", "after")}
    return AuditEntry(**{**row, **texts})


def _json(value: Any) -> str | None:
    return None if value is None else storable_text(msgspec.json.encode(value).decode())
