"""What billing keeps, as ports. Decided here: what the program may ask of its stores; the adapters, and a fake of each that passes
the same suite, are in storage/. Statements and runs are in `statement_store`.

Every method raises StoreUnavailable when the database does not answer, NotFound for what is not there and Conflict for what
contradicts what is. Listings are pages, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from billing_reports.cdr import Cdr, Usage
from billing_reports.cdr_row import CdrRow
from billing_reports.customers import Contract, ContractToken, Customer, Payer
from billing_reports.meter_keys import MeterKey
from billing_reports.plans import Plan
from billing_reports.series import PriceSeries
from billing_reports.sessions import BilledSession, Change
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, TariffVersion
from chargenet.stores import Page

Key = tuple[str, str]
"""(charge point, transaction id)."""


class LedgerStore(Protocol):
    """Billed sessions, their CDRs, and how far the journal is billed."""

    async def position(self) -> int:
        """The last sequence whose meaning is stored."""

    async def save(self, change: Change) -> None:
        """All of it in one transaction. Conflict where a CDR id is there already, one is credited twice, or the position moved."""

    async def sessions(self, keys: Iterable[Key]) -> dict[Key, BilledSession]:
        """Those that are known."""

    async def active(self, charge_point_ids: Iterable[str]) -> list[BilledSession]:
        """Open and waiting ones of these charge points."""

    async def due(self, now: datetime, limit: int = 500) -> list[BilledSession]:
        """Waiting ones whose time has come, longest due first."""

    async def open_keys(self, limit: int) -> list[Key]:
        """Transactions that run."""

    async def of_reasons(self, reasons: Iterable[str], after: Key = ("", ""), limit: int = 500) -> list[BilledSession]:
        """Issues with these reasons, by key."""

    async def issues(
        self, *, reason: str | None = None, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[BilledSession]:
        """Issues by key. Conflict for a cursor of another listing."""

    async def of_tokens(self, token_keys: Iterable[str], states: Iterable[str]) -> list[BilledSession]:
        """Sessions of these tokens in these states."""

    async def cdr(self, cdr_id: str) -> Cdr:
        """One CDR whole. NotFound."""

    async def without_customer(self, token_keys: Iterable[str]) -> list[str]:
        """CDRs in force (not credited, no credits) of these tokens that name no customer."""

    async def row(self, cdr_id: str) -> CdrRow:
        """One CDR without breakdown, with what became of it. NotFound."""

    async def cdrs(self, cdr_ids: Iterable[str]) -> dict[str, Cdr]:
        """Those that are known, whole."""

    async def usages(self, cdr_ids: Iterable[str]) -> dict[str, Usage]:
        """What was used, of those that are known: a fraction of the work that whole CDRs are."""

    async def page(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        customer_id: str | None = None,
        statement_id: str | None = None,
        unassigned: bool | None = None,
        credit: bool | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[CdrRow]:
        """CDRs that ended in [since, until), those that ended last first. `unassigned`: with or without a customer."""

    async def made_after(self, ordinal: int, limit: int = 500) -> list[CdrRow]:
        """CDRs in the order in which they were made: for followers with a cursor of their own."""

    async def unstated(self, customer_ids: Sequence[str], until: datetime) -> list[CdrRow]:
        """CDRs of these customers that ended before `until` and are on no final statement."""

    async def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Sessions by state, and issues by reason."""


class TariffStore(Protocol):
    """Tariffs in versions, where they hold, price series and plans."""

    async def versions(self) -> list[TariffVersion]:
        """All of them, by id and version."""

    async def add(self, tariff: Tariff, now: datetime, effective_from: datetime | None) -> TariffVersion:
        """A new version. Without `effective_from` the first is in force from ever, later ones from `now`."""

    async def remove(self, tariff_id: str, at: datetime) -> None:
        """No transaction begins under it from then on. NotFound."""

    async def assignments(self) -> list[Assignment]:
        """All of them."""

    async def assign(self, assignment: Assignment) -> None:
        """Create or replace. NotFound for a tariff that is not there."""

    async def unassign(self, key: str) -> None:
        """NotFound."""

    async def put_series(self, series: PriceSeries) -> int:
        """Add intervals; those that overlap stored ones replace them. Conflict for another currency."""

    async def series(self, names: Iterable[str], start: datetime, end: datetime) -> Mapping[str, PriceSeries]:
        """What is known of these series between two instants."""

    async def series_known(self) -> list[tuple[str, str, datetime, datetime, int]]:
        """(series, currency, first instant, last instant, intervals), by name."""

    async def plans(self) -> dict[str, Plan]:
        """By id."""

    async def put_plan(self, plan: Plan) -> None:
        """Create or replace."""


class MeterKeyStore(Protocol):
    """Public keys of meters."""

    async def put(self, key: MeterKey) -> None:
        """Create or replace."""

    async def keys(self) -> list[MeterKey]:
        """All of them, by scope, place and begin."""

    async def remove(self, key_id: str) -> MeterKey:
        """Forget one. NotFound."""


class CustomerStore(Protocol):
    """Customers, contracts, and tokens of contracts over time."""

    async def put(self, rows: Sequence[Customer]) -> None:
        """Create or replace."""

    async def customer(self, customer_id: str) -> Customer:
        """NotFound."""

    async def created(self, customer_ids: Sequence[str]) -> dict[str, datetime]:
        """When those that are known were created."""

    async def page(self, *, search: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Customer]:
        """By id. `search`: in name or id, whatever its case."""

    async def zones(self) -> dict[str, int]:
        """Time zone → customers in it."""

    async def after(self, customer_id: str, limit: int = 500) -> list[Customer]:
        """Customers in order of ids, beginning after this one."""

    async def in_zone(self, time_zone: str, after: str = "", limit: int = 500) -> list[Customer]:
        """The same of one time zone."""

    async def put_contracts(self, rows: Sequence[Contract]) -> None:
        """Create or replace. NotFound for a customer, Conflict for a contract of somebody else."""

    async def contracts(self, customer_ids: Sequence[str]) -> dict[str, list[Contract]]:
        """By customer."""

    async def put_tokens(self, rows: Sequence[ContractToken]) -> None:
        """Create or replace; a token that another contract paid for is taken from it at that instant. NotFound for a contract."""

    async def tokens(self, contract_ids: Sequence[str]) -> dict[str, list[ContractToken]]:
        """By contract."""

    async def payer(self, token_key: str, at: datetime) -> Payer | None:
        """Who pays for a token at an instant."""
