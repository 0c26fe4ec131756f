"""One of each program to a database. Decided here: how a second one is found out, and who goes on when the first one is gone.

A PostgreSQL advisory lock belongs to a connection: it ends with the process that holds it, however that ends, and a second process
that waits for it takes over then. SQLite has no such thing; its database belongs to one process of the platform anyway.
"""

from __future__ import annotations

import asyncio
import zlib

import sqlalchemy.exc
from sqlalchemy import Connection, text

from chargenet.errors import Conflict, StoreUnavailable, Unavailable
from chargenet.storage.relational_engine import Database, unavailable

_CLASS = 7_240_917
"""First half of our advisory locks' keys; the second is the name's."""
LOOK_S = 5.0
_KEEPALIVES = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 3")
"""A machine that vanished is noticed by the server within half a minute, and another one may take over."""


class Alone:
    """The right to be the only `name` of a database."""

    def __init__(self, database: Database, name: str) -> None:
        self._database, self.name = database, name
        self._connection: Connection | None = None

    async def taken(self) -> bool:
        """Try to have it; False while somebody else has it. Raises StoreUnavailable."""
        return await asyncio.to_thread(self._take)

    def _take(self) -> bool:
        if self._database.is_sqlite:
            return True
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                self._connection.commit()
                return True
            return self._try()
        except sqlalchemy.exc.SQLAlchemyError as error:
            self._let_go()
            raise unavailable(error) or StoreUnavailable("sql", str(error)) from error

    def _try(self) -> bool:
        connection = self._database.connect()
        for setting in _KEEPALIVES:
            connection.execute(text(f"SET {setting}"))
        key = {"class": _CLASS, "name": zlib.crc32(self.name.encode()) - (1 << 31)}
        had = bool(connection.execute(text("SELECT pg_try_advisory_lock(:class, :name)"), key).scalar_one())
        connection.commit()
        if had:
            self._connection = connection
        else:
            connection.invalidate()
            connection.close()
        return had

    async def keep(self) -> None:
        """For ever, once it was taken. Raises Conflict when somebody else took it while the database was away."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                if not await self.taken():
                    raise Conflict(f"another process became the {self.name} program of this database while it did not answer")
            except Unavailable:
                continue  # whoever writes says so; nobody else can have it from a database that is away

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    async def close(self) -> None:
        """Let somebody else be it."""
        await asyncio.to_thread(self._let_go)
