"""Transactions, their changes, aliases and quarantine in SQL: the adapter of `chargenet.stores.Transactions`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, Table, TextualSelect, select, text, tuple_

from chargenet.model.text import storable_text
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionAlias, TransactionChange, TransactionState
from chargenet.storage import paging, tables
from chargenet.storage.relational_bulk import write_rows
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_primary import raise_floor
from chargenet.storage.relational_rows import (
    advance,
    chunks,
    containing,
    drop_model,
    position,
    transaction_value,
    values,
)
from chargenet.stores import Page, TransactionChanges, TransactionsLoaded

MODEL = "transactions"
TRANSACTION_ID = "transaction_id"
"""Name of the floor under which no 1.6 transaction id is given again."""

_rows, _changes, _aliases, _stops = (
    tables.transactions,
    tables.transaction_changes,
    tables.transaction_aliases,
    tables.quarantine,
)
_key = (_rows.c.charge_point_id, _rows.c.transaction_id)


class SqlTransactions:
    """Implements `chargenet.stores.Transactions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        return await self._database.read(lambda connection: position(connection, MODEL))

    async def load(self, charge_point_ids: Iterable[str], recent: int, stops: int) -> TransactionsLoaded:
        wanted = list(charge_point_ids)

        def work(connection: Connection) -> TransactionsLoaded:
            found = _open(connection, wanted) | _recent(connection, wanted, recent)
            aliases = _aliases_of(connection, found)
            return TransactionsLoaded(sorted(found.values(), key=_age), aliases, _quarantined(connection, wanted, stops))

        return await self._database.read(work)

    async def find_many(self, keys: Iterable[tuple[str, str]]) -> TransactionsLoaded:
        wanted = list(keys)

        def work(connection: Connection) -> TransactionsLoaded:
            aliases: list[TransactionAlias] = []
            alias_key = tuple_(_aliases.c.charge_point_id, _aliases.c.alias_id)
            for part in chunks(wanted):
                aliases += values(TransactionAlias, connection.execute(select(_aliases).where(alias_key.in_(part))).mappings())
            canonical = {*wanted, *((alias.charge_point_id, alias.transaction_id) for alias in aliases)}
            found: dict[tuple[str, str], Transaction] = {}
            for part in chunks(sorted(canonical)):
                found |= _fetch(connection, select(_rows).where(tuple_(*_key).in_(part)))
            return TransactionsLoaded(sorted(found.values(), key=_age), aliases, [])

        return await self._database.read(work)

    async def save(self, changes: TransactionChanges, after: int, upto: int) -> None:
        def work(connection: Connection) -> None:
            advance(connection, MODEL, after, upto)
            write_rows(connection, _rows, changes.transactions)
            write_rows(connection, _changes, changes.changes)
            write_rows(connection, _aliases, changes.aliases)
            write_rows(connection, _stops, changes.quarantine)
            if changes.highest_id:
                raise_floor(connection, TRANSACTION_ID, changes.highest_id)

        await self._database.write(work)

    async def reset(self) -> None:
        await self._database.write(lambda connection: drop_model(connection, MODEL, tables.TRANSACTION_MODEL))

    async def transaction(self, charge_point_id: str, transaction_id: str) -> Transaction | None:
        found = await self.find_many([(charge_point_id, storable_text(transaction_id))])
        return found.transactions[0] if found.transactions else None

    async def transactions(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        connector: str | None = None,
        state: str | None = None,
        flag: str | None = None,
        id_token: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Transaction]:
        limit = paging.bounded(limit)
        order = (_rows.c.first_sequence, *_key)
        query = select(_rows).order_by(*(column.desc() for column in order)).limit(limit + 1)
        for column, wanted in ((_rows.c.charge_point_id, charge_point_id), (_rows.c.connector, connector), (_rows.c.state, state)):
            if wanted is not None:
                query = query.where(column == wanted)
        if site_id is not None:
            registered = tables.registrations
            at_site = select(registered.c.charge_point_id).where(registered.c.site_id == site_id)
            query = query.where(_rows.c.charge_point_id.in_(at_site))
        if flag is not None:
            query = query.where(_rows.c.flags.like(containing(f"|{flag}|"), escape="\\"))
        if id_token is not None:
            query = query.where(_rows.c.id_token_key == id_token.casefold())
        query = _between(query, since, until)
        if (key := paging.decode(cursor, int, str, str)) is not None:
            query = query.where(tuple_(*order) < tuple_(*key))
        found = await self._database.read(lambda connection: _fetch(connection, query))
        return paging.page(list(found.values()), limit, lambda row: (row.first_sequence, row.charge_point_id, row.transaction_id))

    async def changes(
        self, charge_point_id: str, transaction_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[TransactionChange]:
        limit = paging.bounded(limit)
        order = (_changes.c.sequence, _changes.c.ordinal)
        query = (
            select(_changes)
            .where(_changes.c.charge_point_id == charge_point_id, _changes.c.transaction_id == storable_text(transaction_id))
            .order_by(*order)
            .limit(limit + 1)
        )
        if (key := paging.decode(cursor, int, int)) is not None:
            query = query.where(tuple_(*order) > tuple_(*key))
        rows = await self._database.read(lambda connection: values(TransactionChange, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.sequence, row.ordinal))

    async def quarantine(
        self, *, charge_point_id: str | None = None, resolved: bool | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[QuarantinedReport]:
        limit = paging.bounded(limit)
        query = select(_stops).order_by(_stops.c.sequence.desc(), _stops.c.ordinal.desc()).limit(limit + 1)
        if charge_point_id is not None:
            query = query.where(_stops.c.charge_point_id == charge_point_id)
        if resolved is not None:
            query = query.where(_stops.c.resolved_by.is_not(None) if resolved else _stops.c.resolved_by.is_(None))
        if (key := paging.decode(cursor, int, int)) is not None:
            query = query.where(tuple_(_stops.c.sequence, _stops.c.ordinal) < tuple_(*key))
        rows = await self._database.read(lambda connection: values(QuarantinedReport, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.sequence, row.ordinal))

    async def recent(self, per_charge_point: int) -> list[Transaction]:
        def work(connection: Connection) -> list[Transaction]:
            found = _fetch(connection, select(_rows).where(_rows.c.state == TransactionState.OPEN.value))
            return sorted((found | _recent(connection, None, per_charge_point)).values(), key=_age)

        return await self._database.read(work)


Found = dict[tuple[str, str], Transaction]


def _age(row: Transaction) -> tuple[int, str, str]:
    return row.first_sequence, row.charge_point_id, row.transaction_id


def _fetch(connection: Connection, query: Select[Any]) -> Found:
    return _by_key(connection, query, {})


def _by_key(connection: Connection, query: Select[Any] | TextualSelect, parameters: dict[str, Any]) -> Found:
    rows = map(transaction_value, connection.execute(query, parameters))
    return {(row.charge_point_id, row.transaction_id): row for row in rows}


def _open(connection: Connection, charge_point_ids: list[str]) -> Found:
    found: Found = {}
    for ids in chunks(charge_point_ids):
        is_open = (_rows.c.state == TransactionState.OPEN.value) & _rows.c.charge_point_id.in_(ids)
        found |= _fetch(connection, select(_rows).where(is_open))
    return found


_GIVEN = {
    "sqlite": "SELECT value AS id FROM json_each(:ids)",
    "postgresql": "SELECT jsonb_array_elements_text(CAST(:ids AS jsonb)) AS id",
}
"""Charge points named in a parameter; a list of any length is one parameter."""
_EVERYWHERE = "SELECT DISTINCT charge_point_id AS id FROM transactions"
_FOUND = {
    "sqlite": "JOIN {table} AS found ON found.charge_point_id = point.id AND found.{order} >= "
    "coalesce((SELECT {order} FROM {table} WHERE charge_point_id = point.id ORDER BY {order} DESC LIMIT 1 OFFSET :count - 1), 0)",
    "postgresql": "CROSS JOIN LATERAL (SELECT * FROM {table} WHERE charge_point_id = point.id "
    "ORDER BY {order} DESC LIMIT :count) AS found",
}
"""The newest rows of each: a few steps in the index on (charge_point_id, order), however long its history is."""


def _newest(dialect: str, table: Table, order: str, points: str) -> TextualSelect:
    """The `count` newest rows of each charge point of `points`. All names are those of our own tables."""
    names = ", ".join(f'found."{column.name}"' for column in table.columns)
    found = _FOUND[dialect].format(table=table.name, order=order)
    return text(f"SELECT {names} FROM ({points}) AS point {found}").columns(*table.columns)  # noqa: S608


def _recent(connection: Connection, charge_point_ids: list[str] | None, count: int) -> Found:
    """None: of all charge points."""
    dialect = connection.dialect.name
    query = _newest(dialect, _rows, "first_sequence", _EVERYWHERE if charge_point_ids is None else _GIVEN[dialect])
    return _by_key(connection, query, _given(charge_point_ids) | {"count": count})


def _quarantined(connection: Connection, charge_point_ids: list[str], count: int) -> list[QuarantinedReport]:
    """Oldest first."""
    dialect = connection.dialect.name
    query = _newest(dialect, _stops, "sequence", _GIVEN[dialect])
    rows = values(QuarantinedReport, connection.execute(query, _given(charge_point_ids) | {"count": count}).mappings())
    return sorted(rows, key=lambda row: (row.sequence, row.ordinal))


def _given(charge_point_ids: list[str] | None) -> dict[str, Any]:
    return {} if charge_point_ids is None else {"ids": msgspec.json.encode(charge_point_ids).decode()}


def _aliases_of(connection: Connection, found: Found) -> list[TransactionAlias]:
    aliases: list[TransactionAlias] = []
    for ids in chunks(sorted({charge_point_id for charge_point_id, _ in found})):
        query = select(_aliases).where(_aliases.c.charge_point_id.in_(ids))
        aliases += values(TransactionAlias, connection.execute(query).mappings())
    return [alias for alias in aliases if (alias.charge_point_id, alias.transaction_id) in found]


def _between(query: Select[Any], since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        query = query.where(_rows.c.began_at >= since)
    return query if until is None else query.where(_rows.c.began_at < until)
