"""Customers, contracts and the tokens of contracts in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, or_, select

from billing_reports.customers import Contract, ContractToken, Customer, Payer, token_at
from billing_reports.storage.tables import contract_tokens, contracts, customers
from chargenet.errors import Conflict, NotFound
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, containing, upsert
from chargenet.stores import Page

_c, _k, _t = customers.c, contracts.c, contract_tokens.c
_TOKEN = (_t.token, _t.contract_id, _t.valid_from, _t.valid_to)


class SqlCustomers:
    """Implements `billing_reports.store.CustomerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, rows: Sequence[Customer]) -> None:
        values = [
            {"customer_id": each.customer_id, "name": each.party.name, "time_zone": each.time_zone, "row": _text(each)}
            for each in rows
        ]
        await self._database.write(lambda connection: upsert(connection, customers, values))

    async def customer(self, customer_id: str) -> Customer:
        query = select(_c.row).where(_c.customer_id == customer_id)
        row = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        if row is None:
            raise NotFound("customer", customer_id)
        return msgspec.json.decode(row, type=Customer)

    async def created(self, customer_ids: Sequence[str]) -> dict[str, datetime]:
        def work(connection: Connection) -> dict[str, datetime]:
            found: dict[str, datetime] = {}
            for part in chunks(customer_ids):
                for row in connection.execute(select(_c.row).where(_c.customer_id.in_(part))).scalars():
                    each = msgspec.json.decode(row, type=Customer)
                    if each.created_at is not None:
                        found[each.customer_id] = each.created_at
            return found

        return await self._database.read(work)

    async def page(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        limit = paging.bounded(limit)
        query = select(_c.row).order_by(_c.customer_id).limit(limit + 1)
        if search:
            pattern = containing(search)
            named = (func.lower(_c.name).like(pattern, escape="\\"), func.lower(_c.customer_id).like(pattern, escape="\\"))
            query = query.where(or_(*named))
        if (key := paging.decode(cursor, str)) is not None:
            query = query.where(_c.customer_id > key[0])
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return paging.page([msgspec.json.decode(row, type=Customer) for row in rows], limit, lambda row: (row.customer_id,))

    async def zones(self) -> dict[str, int]:
        query = select(_c.time_zone, func.count()).group_by(_c.time_zone).order_by(_c.time_zone)
        return await self._database.read(lambda connection: {row[0]: row[1] for row in connection.execute(query)})

    async def after(self, customer_id: str, limit: int = 500) -> list[Customer]:
        query = select(_c.row).where(_c.customer_id > customer_id).order_by(_c.customer_id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [msgspec.json.decode(row, type=Customer) for row in rows]

    async def in_zone(self, time_zone: str, after: str = "", limit: int = 500) -> list[Customer]:
        query = select(_c.row).where(_c.time_zone == time_zone, _c.customer_id > after).order_by(_c.customer_id).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [msgspec.json.decode(row, type=Customer) for row in rows]

    async def put_contracts(self, rows: Sequence[Contract]) -> None:
        values = [{"contract_id": each.contract_id, "customer_id": each.customer_id, "row": _text(each)} for each in rows]

        def work(connection: Connection) -> None:
            for part in chunks({each.customer_id for each in rows}):
                known = set(connection.execute(select(_c.customer_id).where(_c.customer_id.in_(part))).scalars())
                for missing in sorted(set(part) - known):
                    raise NotFound("customer", missing)
            for part in chunks([each.contract_id for each in rows]):
                owners = dict(connection.execute(select(_k.contract_id, _k.customer_id).where(_k.contract_id.in_(part))).all())
                for each in rows:
                    if owners.get(each.contract_id, each.customer_id) != each.customer_id:
                        raise Conflict(f"the contract {each.contract_id} belongs to customer {owners[each.contract_id]}")
            upsert(connection, contracts, values)

        await self._database.write(work)

    async def contracts(self, customer_ids: Sequence[str]) -> dict[str, list[Contract]]:
        def work(connection: Connection) -> dict[str, list[Contract]]:
            found: dict[str, list[Contract]] = {}
            for part in chunks(customer_ids):
                for row in connection.execute(select(_k.row).where(_k.customer_id.in_(part)).order_by(_k.contract_id)).scalars():
                    each = msgspec.json.decode(row, type=Contract)
                    found.setdefault(each.customer_id, []).append(each)
            return found

        return await self._database.read(work)

    async def put_tokens(self, rows: Sequence[ContractToken]) -> None:
        """A token that another contract pays for at the same time is taken from it: its former assignment ends there."""

        def work(connection: Connection) -> None:
            for part in chunks({each.contract_id for each in rows}):
                known = set(connection.execute(select(_k.contract_id).where(_k.contract_id.in_(part))).scalars())
                for missing in sorted(set(part) - known):
                    raise NotFound("contract", missing)
            for each in rows:
                running = (_t.token_key == each.key, _t.valid_from < each.valid_from)
                ends = or_(_t.valid_to.is_(None), _t.valid_to > each.valid_from)
                connection.execute(contract_tokens.update().where(*running, ends).values(valid_to=each.valid_from))
            upsert(connection, contract_tokens, [_token_values(each) for each in rows])

        await self._database.write(work)

    async def tokens(self, contract_ids: Sequence[str]) -> dict[str, list[ContractToken]]:
        def work(connection: Connection) -> dict[str, list[ContractToken]]:
            found: dict[str, list[ContractToken]] = {}
            for part in chunks(contract_ids):
                query = select(*_TOKEN).where(_t.contract_id.in_(part)).order_by(_t.token_key, _t.valid_from)
                for row in connection.execute(query).mappings():
                    each = ContractToken(**row)
                    found.setdefault(each.contract_id, []).append(each)
            return found

        return await self._database.read(work)

    async def payer(self, token_key: str, at: datetime) -> Payer | None:
        def work(connection: Connection) -> Payer | None:
            query = select(*_TOKEN).where(_t.token_key == token_key, _t.valid_from <= at)
            token = token_at([ContractToken(**row) for row in connection.execute(query).mappings()], at)
            if token is None:
                return None
            found: Any = connection.execute(
                select(_k.row, _c.row).join(customers, _c.customer_id == _k.customer_id).where(_k.contract_id == token.contract_id)
            ).one()
            return Payer(msgspec.json.decode(found[1], type=Customer), msgspec.json.decode(found[0], type=Contract))

        return await self._database.read(work)


def _text(row: msgspec.Struct) -> str:
    return msgspec.json.encode(row).decode()


def _token_values(each: ContractToken) -> dict[str, Any]:
    return msgspec.structs.asdict(each) | {"token_key": each.key}
