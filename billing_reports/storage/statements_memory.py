"""Statements, series and runs in memory: the fake of `billing_reports.statement_store.StatementStore`.

It settles the CDRs of one `MemoryLedger`, as the SQL adapter does in its database.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from billing_reports.cdr_row import CdrRow
from billing_reports.money import decimal_text, minor_units
from billing_reports.numbering import cdr_ids, credit_note, finalized
from billing_reports.runs import Run, RunState, StatementRow
from billing_reports.statement import Statement, StatementKind, StatementState, without_cdrs
from billing_reports.storage.ledger_memory import MemoryLedger
from chargenet.errors import Conflict, NotFound
from chargenet.model.record import microseconds
from chargenet.storage import paging
from chargenet.stores import Page

replace = msgspec.structs.replace


class MemoryStatements:
    """Implements `billing_reports.statement_store.StatementStore`. Its ledger's `problem` is its own."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger
        self._statements: dict[str, Statement] = {}
        self._last: dict[str, int] = {}
        self._runs: dict[str, Run] = {}

    async def put_drafts(self, drafts: Sequence[Statement], covered: Sequence[str], month: date, run: Run | None = None) -> None:
        self._ledger.asked()
        names = set(covered)
        kept = {
            name: each
            for name, each in self._statements.items()
            if not (each.customer_id in names and each.month == month and each.state is StatementState.DRAFT)
        }
        self._statements = kept | {each.id: without_cdrs(each) for each in drafts}
        self._put(run)

    async def finalize(
        self, statement_ids: Sequence[str], now: datetime, payment_days: Sequence[int], run: Run | None = None
    ) -> list[Statement]:
        self._ledger.asked()
        last, settled, made = dict(self._last), dict(self._ledger.rows), list[Statement]()
        for statement_id, days in zip(statement_ids, payment_days, strict=True):
            draft = self._known(statement_id)
            if draft.id in {each.id for each in made}:
                raise Conflict(f"statement {draft.id} is final already")
            finalized(draft, 0, now, days)  # refuses before anything is settled
            _settle(settled, draft)
            last[draft.series] = last.get(draft.series, 0) + 1
            made.append(finalized(draft, last[draft.series], now, days))
        self._last, self._ledger.rows = last, settled
        self._statements |= {each.id: each for each in made}
        self._put(run)
        return made

    async def credit(self, statement_id: str, series: str, now: datetime, remark: str) -> Statement:
        self._ledger.asked()
        statement = self._known(statement_id)
        note = credit_note(statement, self._last.get(series, 0) + 1, series, now, remark)
        self._last[series] = self._last.get(series, 0) + 1
        self._statements[note.id] = note
        self._statements[statement.id] = replace(statement, state=StatementState.CREDITED, credited_by=note.id)
        for name, row in self._ledger.rows.items():
            if row.statement_id == statement.id:
                self._ledger.rows[name] = replace(row, statement_id=None)
        return note

    async def statement(self, statement_id: str) -> Statement:
        self._ledger.asked()
        return self._known(statement_id)

    def _known(self, statement_id: str) -> Statement:
        for each in self._statements.values():
            if statement_id in (each.id, each.number):
                return each
        raise NotFound("statement", statement_id)

    async def page(
        self,
        *,
        month: date | None = None,
        state: str | None = None,
        customer_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[StatementRow]:
        self._ledger.asked()
        limit = paging.bounded(limit)
        rows = [
            _row(each)
            for each in self._statements.values()
            if month in (None, each.month) and state in (None, each.state.value) and customer_id in (None, each.customer_id)
        ]
        rows.sort(key=_newest_last, reverse=True)
        if (key := paging.decode(cursor, int, str)) is not None:
            rows = [row for row in rows if _newest_last(row) < key]
        return paging.page(rows[: limit + 1], limit, _newest_last)

    async def ids(self, *, month: date, state: str, customer_ids: Sequence[str] | None = None) -> list[tuple[str, str]]:
        self._ledger.asked()
        wanted = None if customer_ids is None else set(customer_ids)
        return sorted(
            (each.id, each.customer_id)
            for each in self._statements.values()
            if each.month == month and each.state.value == state and (wanted is None or each.customer_id in wanted)
        )

    async def of_month(self, customer_ids: Sequence[str], month: date) -> dict[str, list[tuple[str, str, str, datetime]]]:
        self._ledger.asked()
        found: dict[str, list[tuple[str, str, str, datetime]]] = {}
        for each in self._statements.values():
            if each.customer_id in customer_ids and each.month == month and each.kind is StatementKind.STATEMENT:
                row = (each.id, each.currency, each.state.value, each.created_at)
                found.setdefault(each.customer_id, []).append(row)
        return found

    async def last_ordinal(self, series: str) -> int:
        self._ledger.asked()
        return self._last.get(series, 0)

    async def counts(self) -> dict[str, int]:
        self._ledger.asked()
        found: dict[str, int] = {}
        for each in self._statements.values():
            name = each.state.value if each.kind is StatementKind.STATEMENT else each.kind.value
            found[name] = found.get(name, 0) + 1
        return found

    # -- runs

    async def put_run(self, run: Run) -> None:
        self._ledger.asked()
        self._put(run)

    def _put(self, run: Run | None) -> None:
        if run is not None:
            self._runs[run.run_id] = run

    async def run(self, run_id: str) -> Run | None:
        self._ledger.asked()
        return self._runs.get(run_id)

    async def runs(self, *, state: RunState | None = None, limit: int = 100) -> list[Run]:
        self._ledger.asked()
        found = [each for each in self._runs.values() if state in (None, each.state)]
        return sorted(found, key=lambda each: (each.started_at, each.run_id), reverse=True)[:limit]


def _settle(rows: dict[str, CdrRow], draft: Statement) -> None:
    """The CDRs of a draft go on it, unless something happened to one of them since the draft was made."""
    wanted = cdr_ids(draft)
    for name in wanted:
        row = rows.get(name)
        free = row is not None and row.statement_id is None and row.customer_id == draft.customer_id
        if row is None or not free or row.credited_by not in (None, *wanted):
            raise Conflict(f"CDRs of the draft {draft.id} have changed since it was made: run the month again, then finalize")
        rows[name] = replace(row, statement_id=draft.id)


def _newest_last(row: StatementRow) -> tuple[int, str]:
    return microseconds(row.created_at), row.id


def _row(statement: Statement) -> StatementRow:
    return StatementRow(
        id=statement.id, kind=statement.kind.value, state=statement.state.value, number=statement.number,
        customer_id=statement.customer_id, customer_name=statement.customer.name, month=statement.month,
        currency=statement.currency, payable=decimal_text(statement.totals.payable.amount, minor_units(statement.currency)),
        lines=len(statement.lines), created_at=statement.created_at, issued_at=statement.issued_at, due_on=statement.due_on,
    )  # fmt: skip
