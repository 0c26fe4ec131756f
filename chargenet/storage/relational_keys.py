"""API keys in SQL: the adapter of `chargenet.stores.Keys`. Only hashes are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Connection, RowMapping, bindparam, insert, or_, select, tuple_

from chargenet.errors import Conflict, NotFound
from chargenet.model.key import Key, StoredKey
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging, tables
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import plain
from chargenet.stores import Page

_keys = tables.api_keys


class SqlKeys:
    """Implements `chargenet.stores.Keys`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, row: StoredKey) -> None:
        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(_keys).values(**plain(row.key), secret_hash=row.secret_hash))
            except sqlalchemy.exc.IntegrityError:
                raise Conflict(f"there is a key {row.key.key_id!r} already") from None

        await self._database.write(work)

    async def revoke(self, key_id: str, at: datetime) -> Key:
        def work(connection: Connection) -> Key:
            one = _keys.c.key_id == key_id
            connection.execute(_keys.update().where(one, _keys.c.revoked_at.is_(None)).values(revoked_at=at))
            row = connection.execute(select(_keys).where(one)).mappings().one_or_none()
            if row is None:
                raise NotFound("key", key_id)
            return _stored(row).key

        return await self._database.write(work)

    async def touch(self, used: dict[str, datetime]) -> None:
        if not used:
            return
        earlier = or_(_keys.c.last_used_at.is_(None), _keys.c.last_used_at < bindparam("used_at"))
        statement = _keys.update().where(_keys.c.key_id == bindparam("used_key"), earlier).values(last_used_at=bindparam("used_at"))
        rows: list[dict[str, Any]] = [{"used_key": key_id, "used_at": at} for key_id, at in used.items()]
        await self._database.write(lambda connection: connection.execute(statement, rows))

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Key]:
        limit = paging.bounded(limit)
        order = (_keys.c.created_at, _keys.c.key_id)
        query = select(_keys).order_by(*order).limit(limit + 1)
        if (key := paging.decode(cursor, int, str)) is not None:
            query = query.where(tuple_(*order) > tuple_(bindparam("at", instant(int(key[0])), _keys.c.created_at.type), key[1]))
        rows = await self._database.read(lambda connection: [_stored(row).key for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (microseconds(row.created_at), row.key_id))

    async def everything(self) -> list[StoredKey]:
        query = select(_keys).order_by(_keys.c.created_at, _keys.c.key_id)
        return await self._database.read(lambda connection: [_stored(row) for row in connection.execute(query).mappings()])


def _stored(row: RowMapping) -> StoredKey:
    fields = dict(row)
    secret_hash = fields.pop("secret_hash")
    return StoredKey(Key(**fields), secret_hash)
