"""The port of statements and billing runs, and all stores of billing together. Adapters are in billing_reports/storage/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from billing_reports.runs import Run, RunState, StatementRow
from billing_reports.statement import Statement
from billing_reports.store import CustomerStore, LedgerStore, MeterKeyStore, TariffStore
from chargenet.stores import Page


class StatementStore(Protocol):
    """Statements of all customers. Raises StoreUnavailable when the database does not answer."""

    async def put_drafts(self, drafts: Sequence[Statement], covered: Sequence[str], month: date, run: Run | None = None) -> None:
        """Replace all drafts of these customers for that month, and remember how far the run is, in one transaction."""

    async def finalize(
        self, statement_ids: Sequence[str], now: datetime, payment_days: Sequence[int], run: Run | None = None
    ) -> list[Statement]:
        """Number drafts in the order given and store them as final, all in one transaction.

        Conflict where one is no draft, or where a CDR of it was billed or taken back meanwhile: make the draft anew. NotFound.
        """

    async def credit(self, statement_id: str, series: str, now: datetime, remark: str) -> Statement:
        """Take a final statement back by a credit note; its CDRs can be billed again."""

    async def statement(self, statement_id: str) -> Statement:
        """By id or number, without its CDRs. NotFound."""

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

    async def ids(self, *, month: date, state: str, customer_ids: Sequence[str] | None = None) -> list[tuple[str, str]]:
        """(statement, customer) of a month, in order of ids."""

    async def of_month(self, customer_ids: Sequence[str], month: date) -> dict[str, list[tuple[str, str, str, datetime]]]:
        """customer → (statement, currency, state, created_at) of its statements for a month, credit notes left out."""

    async def last_ordinal(self, series: str) -> int:
        """The last number given in a series; 0 for none."""

    async def counts(self) -> dict[str, int]:
        """Statements by state; credit notes are `credit_note`."""

    async def put_run(self, run: Run) -> None:
        """Create or replace."""

    async def run(self, run_id: str) -> Run | None:
        """One run."""

    async def runs(self, *, state: RunState | None = None, limit: int = 100) -> list[Run]:
        """Newest first."""


@dataclass(frozen=True)
class BillingStores:
    """What billing keeps, whole: of one database, or of one memory."""

    ledger: LedgerStore
    tariffs: TariffStore
    customers: CustomerStore
    statements: StatementStore
    meter_keys: MeterKeyStore
