"""Statements, series and runs in SQL. Decided here: a number is given in the transaction that stores the final statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, tuple_, update

from billing_reports.money import decimal_text, minor_units
from billing_reports.numbering import cdr_ids, credit_note, finalized
from billing_reports.runs import Run, RunState, StatementRow
from billing_reports.statement import Statement, StatementKind, StatementState, without_cdrs
from billing_reports.storage.packing import pack, unpack
from billing_reports.storage.tables import billing_runs, cdrs, statement_series, statements
from chargenet.errors import Conflict, NotFound
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, upsert
from chargenet.stores import Page

_s, _c, _r = statements.c, cdrs.c, billing_runs.c
_SUMMARY = [column for column in statements.c if column.name not in ("body", "series", "ordinal")]


class SqlStatements:
    """Implements `billing_reports.statement_store.StatementStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_drafts(self, drafts: Sequence[Statement], covered: Sequence[str], month: date, run: Run | None = None) -> None:
        """Replace all drafts of these customers for that month, and remember how far the run is, in one transaction."""

        def work(connection: Connection) -> None:
            for part in chunks(covered):
                old = (_s.customer_id.in_(part), _s.month == month, _s.state == StatementState.DRAFT.value)
                connection.execute(delete(statements).where(*old))
            if drafts:
                connection.execute(insert(statements), [_values(each) for each in drafts])
            _put_run(connection, run)

        await self._database.write(work)

    async def finalize(
        self, statement_ids: Sequence[str], now: datetime, payment_days: Sequence[int], run: Run | None = None
    ) -> list[Statement]:
        """Number drafts in the order given and store them as final, all in one transaction.

        Conflict where one is no draft, or where a CDR of it was billed or taken back meanwhile: make the draft anew.
        """

        def work(connection: Connection) -> list[Statement]:
            made = []
            for statement_id, days in zip(statement_ids, payment_days, strict=True):
                draft = _locked(connection, statement_id)
                finalized(draft, 0, now, days)  # refuses before anything is settled
                _settle(connection, draft)
                final = finalized(draft, _next(connection, draft.series), now, days)
                connection.execute(update(statements).where(_s.statement_id == draft.id).values(**_values(final)))
                made.append(final)
            _put_run(connection, run)
            return made

        return await self._database.write(work)

    async def credit(self, statement_id: str, series: str, now: datetime, remark: str) -> Statement:
        """Take a final statement back by a credit note; its CDRs can be billed again."""

        def work(connection: Connection) -> Statement:
            statement = _locked(connection, statement_id)
            credit_note(statement, 0, series, now, remark)  # refuses before a number is taken
            note = credit_note(statement, _next(connection, series), series, now, remark)
            connection.execute(insert(statements).values(**_values(note)))
            credited = msgspec.structs.replace(statement, state=StatementState.CREDITED, credited_by=note.id)
            connection.execute(update(statements).where(_s.statement_id == statement.id).values(**_values(credited)))
            connection.execute(update(cdrs).where(_c.statement_id == statement.id).values(statement_id=None))
            return note

        return await self._database.write(work)

    async def statement(self, statement_id: str) -> Statement:
        """By id or number, without its CDRs."""
        query = select(_s.body).where((_s.statement_id == statement_id) | (_s.number == statement_id))
        body = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        if body is None:
            raise NotFound("statement", statement_id)
        return unpack(bytes(body), Statement)

    async def page(
        self,
        *,
        month: date | None = None,
        state: str | None = None,
        customer_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[StatementRow]:
        """Newest first."""
        limit = paging.bounded(limit)
        query = select(*_SUMMARY).order_by(_s.created_at.desc(), _s.statement_id.desc()).limit(limit + 1)
        for column, value in ((_s.month, month), (_s.state, state), (_s.customer_id, customer_id)):
            if value is not None:
                query = query.where(column == value)
        if (key := paging.decode(cursor, int, str)) is not None:
            at = bindparam("at", instant(int(key[0])), _s.created_at.type)
            query = query.where(tuple_(_s.created_at, _s.statement_id) < tuple_(at, key[1]))
        rows = await self._database.read(lambda connection: [_row(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (microseconds(row.created_at), row.id))

    async def ids(self, *, month: date, state: str, customer_ids: Sequence[str] | None = None) -> list[tuple[str, str]]:
        """(statement, customer) of a month, in order of ids."""

        def work(connection: Connection) -> list[tuple[str, str]]:
            query = select(_s.statement_id, _s.customer_id).where(_s.month == month, _s.state == state)
            if customer_ids is None:
                return [(row[0], row[1]) for row in connection.execute(query.order_by(_s.statement_id))]
            found = []
            for part in chunks(customer_ids):
                found += [(row[0], row[1]) for row in connection.execute(query.where(_s.customer_id.in_(part)))]
            return sorted(found)

        return await self._database.read(work)

    async def of_month(self, customer_ids: Sequence[str], month: date) -> dict[str, list[tuple[str, str, str, datetime]]]:
        """customer → (statement, currency, state, created_at) of its statements for a month, credit notes left out."""

        def work(connection: Connection) -> dict[str, list[tuple[str, str, str, datetime]]]:
            found: dict[str, list[tuple[str, str, str, datetime]]] = {}
            for part in chunks(customer_ids):
                query = select(_s.customer_id, _s.statement_id, _s.currency, _s.state, _s.created_at).where(
                    _s.customer_id.in_(part), _s.month == month, _s.kind == StatementKind.STATEMENT.value
                )
                for row in connection.execute(query):
                    found.setdefault(row[0], []).append((row[1], row[2], row[3], row[4]))
            return found

        return await self._database.read(work)

    async def last_ordinal(self, series: str) -> int:
        """The last number given in a series; 0 for none."""
        query = select(statement_series.c.last).where(statement_series.c.series == series)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    async def counts(self) -> dict[str, int]:
        """Statements by state; credit notes are `credit_note`."""
        kind_state = select(_s.kind, _s.state, func.count()).group_by(_s.kind, _s.state)

        def work(connection: Connection) -> dict[str, int]:
            found: dict[str, int] = {}
            for kind, state, count in connection.execute(kind_state):
                name = state if kind == StatementKind.STATEMENT.value else kind
                found[name] = found.get(name, 0) + count
            return found

        return await self._database.read(work)

    # -- runs

    async def put_run(self, run: Run) -> None:
        """Create or replace."""
        await self._database.write(lambda connection: _put_run(connection, run))

    async def run(self, run_id: str) -> Run | None:
        """One run."""
        query = select(_r.row).where(_r.run_id == run_id)
        row = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return None if row is None else msgspec.json.decode(row, type=Run)

    async def runs(self, *, state: RunState | None = None, limit: int = 100) -> list[Run]:
        """Newest first."""
        query = select(_r.row).order_by(_r.started_at.desc(), _r.run_id.desc()).limit(limit)
        if state is not None:
            query = query.where(_r.state == state.value)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [msgspec.json.decode(row, type=Run) for row in rows]


def _locked(connection: Connection, statement_id: str) -> Statement:
    query = select(_s.body).where((_s.statement_id == statement_id) | (_s.number == statement_id)).with_for_update()
    body = connection.execute(query).scalar_one_or_none()
    if body is None:
        raise NotFound("statement", statement_id)
    return unpack(bytes(body), Statement)


def _settle(connection: Connection, draft: Statement) -> None:
    """The CDRs of a draft go on it, unless something happened to one of them since the draft was made."""
    wanted = cdr_ids(draft)
    settled = 0
    for part in chunks(wanted):
        free = (_c.cdr_id.in_(part), _c.statement_id.is_(None), _c.customer_id == draft.customer_id)
        unchanged = _c.credited_by.is_(None) | _c.credited_by.in_(wanted)
        settled += connection.execute(update(cdrs).where(*free, unchanged).values(statement_id=draft.id)).rowcount
    if settled != len(wanted):
        raise Conflict(f"CDRs of the draft {draft.id} have changed since it was made: run the month again, then finalize")


def _next(connection: Connection, series: str) -> int:
    """The next ordinal of a series; its row is held until the transaction ends."""
    here = statement_series.c.series == series
    last = connection.execute(select(statement_series.c.last).where(here).with_for_update()).scalar_one_or_none()
    if last is None:
        connection.execute(insert(statement_series).values(series=series, last=1))
        return 1
    connection.execute(update(statement_series).where(here).values(last=last + 1))
    return int(last) + 1


def _values(statement: Statement) -> dict[str, Any]:
    payable: Decimal = statement.totals.payable.amount
    return {
        "statement_id": statement.id,
        "kind": statement.kind.value,
        "state": statement.state.value,
        "series": statement.series,
        "ordinal": statement.ordinal,
        "number": statement.number,
        "customer_id": statement.customer_id,
        "customer_name": statement.customer.name,
        "month": statement.month,
        "currency": statement.currency,
        "payable": decimal_text(payable, minor_units(statement.currency)),
        "lines": len(statement.lines),
        "created_at": statement.created_at,
        "issued_at": statement.issued_at,
        "due_on": statement.due_on,
        "body": pack(without_cdrs(statement)),
    }


def _row(row: RowMapping) -> StatementRow:
    fields = dict(row)
    fields["id"] = fields.pop("statement_id")
    return StatementRow(**fields)


def _put_run(connection: Connection, run: Run | None) -> None:
    if run is not None:
        row = {
            "run_id": run.run_id, "month": run.month, "state": run.state.value, "started_at": run.started_at,
            "row": msgspec.json.encode(run).decode(),
        }  # fmt: skip
        upsert(connection, billing_runs, [row])
