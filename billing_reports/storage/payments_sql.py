"""Payments in SQL. Decided here: a payment changes only from the version that was read, together with its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy.exc
from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, select, tuple_, update

from billing_reports.payments.payment import Payment, PaymentEntry, PaymentState, SavedMethod
from billing_reports.payments.store import Summary
from billing_reports.storage.payment_tables import payment_events, payment_history, payment_methods, payments
from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, upsert
from chargenet.storage.tables import cursors
from chargenet.stores import Page

_p, _h, _m = payments.c, payment_history.c, payment_methods.c


class SqlPayments:
    """Implements `billing_reports.payments.store.PaymentStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, payment: Payment) -> Payment:
        def work(connection: Connection) -> Payment:
            try:
                connection.execute(insert(payments).values(**_values(payment)))
            except sqlalchemy.exc.IntegrityError:
                raise Conflict(f"payment {payment.payment_id}, or one for the same thing, is there already") from None
            _write_history(connection, payment, "made")
            return payment

        return await self._database.write(work)

    async def save(self, payment: Payment, what: str) -> Payment:
        made = msgspec.structs.replace(payment, version=payment.version + 1)

        def work(connection: Connection) -> Payment:
            here = (_p.payment_id == payment.payment_id, _p.version == payment.version)
            if connection.execute(update(payments).where(*here).values(**_values(made))).rowcount != 1:
                raise Conflict(f"payment {payment.payment_id} was changed meanwhile: look at it again")
            _write_history(connection, made, what)
            return made

        return await self._database.write(work)

    async def payment(self, payment_id: str) -> Payment:
        found = await self._all(select(_p.row).where(_p.payment_id == payment_id))
        if not found:
            raise NotFound("payment", payment_id)
        return found[0]

    async def at_gateway(self, gateway_id: str) -> Payment | None:
        found = await self._all(select(_p.row).where(_p.gateway_id == gateway_id))
        return found[0] if found else None

    async def due(self, now: datetime, limit: int) -> list[Payment]:
        return await self._all(select(_p.row).where(_p.look_at <= now).order_by(_p.look_at, _p.payment_id).limit(limit))

    async def untold(self, limit: int) -> list[Payment]:
        return await self._all(select(_p.row).where(_p.untold.is_(True)).order_by(_p.payment_id).limit(limit))

    async def of_tokens(self, token_keys: Sequence[str]) -> list[Payment]:
        return await self._each(_p.token_key, token_keys)

    async def of_statements(self, statement_ids: Sequence[str]) -> list[Payment]:
        return await self._each(_p.statement_id, statement_ids)

    async def page(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        customer_id: str | None = None,
        stuck: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Payment]:
        limit = paging.bounded(limit)
        query = select(_p.row).order_by(_p.created_at.desc(), _p.payment_id.desc()).limit(limit + 1)
        for column, value in ((_p.state, state), (_p.kind, kind), (_p.customer_id, customer_id), (_p.stuck, stuck)):
            if value is not None:
                query = query.where(column == value)
        if (key := paging.decode(cursor, int, str)) is not None:
            at = bindparam("at", instant(int(key[0])), _p.created_at.type)
            query = query.where(tuple_(_p.created_at, _p.payment_id) < tuple_(at, key[1]))
        rows = await self._all(query)
        return paging.page(rows, limit, lambda row: (microseconds(row.created_at), row.payment_id))

    async def history(self, payment_id: str) -> list[PaymentEntry]:
        query = select(_h.version, _h.at, _h.state, _h.what).where(_h.payment_id == payment_id).order_by(_h.version)

        def work(connection: Connection) -> list[PaymentEntry]:
            return [PaymentEntry(row[0], row[1], PaymentState(row[2]), row[3]) for row in connection.execute(query)]

        return await self._database.read(work)

    async def summary(self) -> Summary:
        states = select(_p.kind, _p.state, func.count()).group_by(_p.kind, _p.state)
        stuck = select(func.count()).where(_p.stuck.is_(True))
        owed = select(_p.currency, func.sum(_p.receivable)).where(_p.receivable > 0).group_by(_p.currency)
        oldest = select(func.min(_p.requested_at))

        def work(connection: Connection) -> Summary:
            return Summary(
                states={(row[0], row[1]): row[2] for row in connection.execute(states)},
                stuck=connection.execute(stuck).scalar_one(),
                receivable={row[0]: int(row[1]) for row in connection.execute(owed)},
                oldest_request_at=connection.execute(oldest).scalar_one_or_none(),
            )

        return await self._database.read(work)

    # -- methods

    async def put_method(self, method: SavedMethod) -> None:
        row = {"customer_id": method.customer_id, "saved_at": method.saved_at, "row": msgspec.json.encode(method).decode()}
        await self._database.write(lambda connection: upsert(connection, payment_methods, [row]))

    async def drop_method(self, customer_id: str) -> None:
        gone = delete(payment_methods).where(_m.customer_id == customer_id)
        if await self._database.write(lambda connection: connection.execute(gone).rowcount) != 1:
            raise NotFound("saved method of customer", customer_id)

    async def method(self, customer_id: str) -> SavedMethod | None:
        query = select(_m.row).where(_m.customer_id == customer_id)
        row = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return None if row is None else msgspec.json.decode(row, type=SavedMethod)

    # -- calls of the gateway, and positions

    async def take_event(self, event_id: str, now: datetime) -> bool:
        def work(connection: Connection) -> bool:
            known = select(payment_events.c.event_id).where(payment_events.c.event_id == event_id)
            if connection.execute(known).first() is not None:
                return False
            connection.execute(insert(payment_events).values(event_id=event_id, taken_at=now))
            return True

        try:
            return await self._database.write(work)
        except sqlalchemy.exc.IntegrityError:  # the same call twice at the same moment
            return False

    async def knows_event(self, event_id: str) -> bool:
        known = select(payment_events.c.event_id).where(payment_events.c.event_id == event_id)
        return await self._database.read(lambda connection: connection.execute(known).first() is not None)

    async def forget_events(self, before: datetime) -> None:
        old = delete(payment_events).where(payment_events.c.taken_at < before)
        await self._database.write(lambda connection: connection.execute(old).rowcount)

    async def position(self, name: str) -> int:
        query = select(cursors.c.sequence).where(cursors.c.name == name)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    async def set_position(self, name: str, position: int) -> None:
        await self._database.write(lambda connection: upsert(connection, cursors, [{"name": name, "sequence": position}]))

    async def _all(self, query: Select[Any]) -> list[Payment]:
        return await self._database.read(lambda connection: [_payment(row) for row in connection.execute(query).scalars()])

    async def _each(self, column: ColumnElement[Any], wanted: Sequence[str]) -> list[Payment]:
        def work(connection: Connection) -> list[Payment]:
            found: list[Payment] = []
            for part in chunks(wanted):
                found += map(_payment, connection.execute(select(_p.row).where(column.in_(part))).scalars())
            return sorted(found, key=lambda each: each.payment_id)

        return await self._database.read(work)


def _payment(row: str) -> Payment:
    return msgspec.json.decode(row, type=Payment)


def _write_history(connection: Connection, payment: Payment, what: str) -> None:
    if not what:
        return
    connection.execute(
        insert(payment_history).values(
            payment_id=payment.payment_id, version=payment.version, at=payment.changed_at, state=payment.state.value, what=what
        )
    )


def _values(payment: Payment) -> dict[str, Any]:
    same = (
        "payment_id", "untold", "currency", "receivable", "gateway_id", "customer_id", "statement_id", "token_key", "look_at",
        "created_at", "version",
    )  # fmt: skip
    return {name: getattr(payment, name) for name in same} | {
        "kind": payment.kind.value,
        "state": payment.state.value,
        "stuck": bool(payment.stuck),
        "requested_at": None if payment.pending is None else payment.pending.stored_at,
        "row": msgspec.json.encode(payment).decode(),
    }
