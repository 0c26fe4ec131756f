"""What payments are for, read from billing's own tables. Decided here: what is due, and that nobody pays for a session twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, Numeric, bindparam, cast, exists, select, tuple_

from billing_reports.payments.facts import Chargeable, Owed
from billing_reports.payments.payment import Payment, PaymentKind, SavedMethod, minor
from billing_reports.sessions import SessionState
from billing_reports.statement import Statement, StatementKind, StatementState
from billing_reports.storage.packing import unpack
from billing_reports.storage.payment_tables import payment_methods, payments
from billing_reports.storage.tables import cdrs, contract_tokens, sessions, statements
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks

_c, _m, _p, _se, _st = cdrs.c, payment_methods.c, payments.c, sessions.c, statements.c
_RUNNING = {
    SessionState.OPEN.value: "the session runs",
    SessionState.WAITING.value: "the session waits for its price",
    SessionState.ISSUE.value: "the session cannot be priced; see the billing issues",
}
Sum = tuple[str, str | None, str, str | None]
"""State, currency and amount of the CDR in force, and the customer who has it on a statement."""


class SqlBooks:
    """Implements `billing_reports.payments.facts.Books`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def owed(self, payments: Sequence[Payment]) -> Mapping[str, Owed]:
        return await self._database.read(lambda connection: _owed(connection, payments))

    async def chargeable(self, after: datetime, limit: int) -> list[Chargeable]:
        there = exists().where(_p.statement_id == _st.statement_id)
        query = (
            select(_st.statement_id, _st.number, _st.customer_id, _st.currency, _st.payable, _m.row)
            .join(payment_methods, _m.customer_id == _st.customer_id)
            .where(_st.kind == StatementKind.STATEMENT.value, _st.state == StatementState.FINAL.value)
            .where(_st.issued_at > bindparam("after", after, _st.issued_at.type), _st.issued_at >= _m.saved_at)
            .where(cast(_st.payable, Numeric) > 0, ~there)
            .order_by(_st.issued_at, _st.statement_id)
            .limit(limit)
        )
        return await self._database.read(lambda connection: [_chargeable(row) for row in connection.execute(query)])

    async def changed_tokens(self, after: int, limit: int) -> tuple[int, list[str]]:
        query = select(_c.ordinal, _c.token_key).where(_c.ordinal > after).order_by(_c.ordinal).limit(limit)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        tokens = dict.fromkeys(row[1] for row in rows if row[1] is not None)
        return (rows[-1][0] if rows else after), list(tokens)

    async def credited(self, after: tuple[datetime, str], limit: int) -> list[tuple[datetime, str, str]]:
        at = bindparam("at", after[0], _st.created_at.type)
        query = (
            select(_st.created_at, _st.statement_id, _st.body)
            .where(_st.kind == StatementKind.CREDIT_NOTE.value, tuple_(_st.created_at, _st.statement_id) > tuple_(at, after[1]))
            .order_by(_st.created_at, _st.statement_id)
            .limit(limit)
        )

        def work(connection: Connection) -> list[tuple[datetime, str, str]]:
            notes = [(row[0], row[1], unpack(bytes(row[2]), Statement)) for row in connection.execute(query)]
            return [(made_at, note_id, note.credits_id or "") for made_at, note_id, note in notes]

        return await self._database.read(work)

    async def token_is_fresh(self, token_key: str) -> bool:
        seen = select(_se.subject).where(_se.token_key == token_key).limit(1)
        paid_for = select(contract_tokens.c.contract_id).where(contract_tokens.c.token_key == token_key).limit(1)

        def work(connection: Connection) -> bool:
            return connection.execute(seen).first() is None and connection.execute(paid_for).first() is None

        return await self._database.read(work)


def _owed(connection: Connection, wanted: Sequence[Payment]) -> dict[str, Owed]:
    holds = [each for each in wanted if each.kind is PaymentKind.HOLD and each.token_key is not None]
    charges = [each for each in wanted if each.kind is PaymentKind.CHARGE]
    used = _used(connection, [each.token_key or "" for each in holds])
    issued = _issued(connection, [each.statement_id or "" for each in charges])
    methods = _methods(connection, [each.customer_id or "" for each in charges])
    found = {each.payment_id: _of_sessions(used.get(each.token_key or "", []), each.currency) for each in holds}
    for each in charges:
        found[each.payment_id] = _of_statement(issued.get(each.statement_id or ""), methods.get(each.customer_id or ""), each)
    return found


def _rows(connection: Connection, query: Callable[[Sequence[str]], Any], keys: Sequence[str]) -> list[Any]:
    return [row for part in chunks(dict.fromkeys(keys)) for row in connection.execute(query(part))]


def _used(connection: Connection, token_keys: Sequence[str]) -> dict[str, list[Sum]]:
    """By token: its sessions."""
    columns = select(_se.token_key, _se.state, _c.currency, _c.after_taxes, _c.customer_id)
    joined = columns.join_from(sessions, cdrs, _c.cdr_id == _se.cdr_id, isouter=True)
    found: dict[str, list[Sum]] = {}
    for token_key, *rest in _rows(connection, lambda part: joined.where(_se.token_key.in_(part)), token_keys):
        found.setdefault(token_key, []).append((rest[0], rest[1], rest[2] or "0", rest[3]))
    return found


def _of_sessions(used: Sequence[Sum], currency: str) -> Owed:
    """All sessions of one token. What a customer has on a statement is not paid here."""
    states = {each[0] for each in used}
    billed = [each for each in used if each[0] == SessionState.BILLED.value and each[3] is None]
    if any(each[1] not in (None, currency) for each in billed):
        return Owed(used=True, foreign=True)
    waiting = next((why for state, why in _RUNNING.items() if state in states), "")
    if waiting or not used:
        return Owed(used=bool(used), waiting_for=waiting or "no session was started")
    return Owed(used=True, due=max(0, minor(sum((Decimal(each[2]) for each in billed), Decimal(0)), currency)))


def _issued(connection: Connection, statement_ids: Sequence[str]) -> dict[str, tuple[str, str, str]]:
    columns = select(_st.statement_id, _st.state, _st.currency, _st.payable)
    rows = _rows(connection, lambda part: columns.where(_st.statement_id.in_(part)), statement_ids)
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _methods(connection: Connection, customer_ids: Sequence[str]) -> dict[str, SavedMethod]:
    rows = _rows(connection, lambda part: select(_m.row).where(_m.customer_id.in_(part)), customer_ids)
    made = [msgspec.json.decode(row[0], type=SavedMethod) for row in rows]
    return {each.customer_id: each for each in made}


def _of_statement(statement: tuple[str, str, str] | None, method: SavedMethod | None, payment: Payment) -> Owed:
    if statement is None:
        return Owed(waiting_for="its statement is not there", method=method)
    state, currency, payable = statement
    due = 0 if state == StatementState.CREDITED.value else minor(Decimal(payable), currency)
    return Owed(due=due, used=True, foreign=currency != payment.currency, method=method)


def _chargeable(row: Any) -> Chargeable:
    method = msgspec.json.decode(row[5], type=SavedMethod)
    return Chargeable(
        statement_id=row[0], number=row[1] or row[0], customer_id=row[2], currency=row[3], payable=minor(Decimal(row[4]), row[3]),
        gateway_customer=method.gateway_customer,
    )  # fmt: skip
