"""Drafts of one page of customers: all is fetched, then composed. Decided here: what is fetched, and what is listed as unbilled.

Used by the running program and by worker processes alike: `compose_page` opens the database itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.cdr import Cdr
from billing_reports.cdr_row import CdrRow
from billing_reports.compose import Account, compose
from billing_reports.customers import Contract, Customer
from billing_reports.house import House
from billing_reports.issue import IssueReason
from billing_reports.plans import Plan, month_of, next_month
from billing_reports.sessions import BilledSession, SessionState
from billing_reports.statement import Statement, StatementState, UnbilledSession
from billing_reports.statement_store import BillingStores
from billing_reports.storage.opened import sql_billing
from chargenet.storage.relational_engine import Database

_SHOWN = (SessionState.OPEN, SessionState.WAITING, SessionState.ISSUE)


class Context(msgspec.Struct, frozen=True):
    """What all pages of a run share."""

    month: date
    plans: dict[str, Plan]
    house: House
    site_names: dict[str, str]
    now: datetime


def ends_at(month: date, time_zone: str) -> datetime:
    """The first instant after a month in a zone, UTC."""
    after = next_month(month)
    return datetime(after.year, after.month, 1, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)


class Months:
    """Makes drafts. Stores nothing."""

    def __init__(self, kept: BillingStores) -> None:
        self._ledger, self._customers, self._statements = kept.ledger, kept.customers, kept.statements

    async def drafts(self, customers: Sequence[Customer], context: Context) -> list[Statement]:
        """Drafts of these customers, in order of their ids."""
        names = [each.customer_id for each in customers]
        contracts = await self._customers.contracts(names)
        rows = await self._rows(customers, context.month)
        whole = await self._whole(contracts, rows, context.plans)
        unbilled = await self._unbilled(customers, contracts, context.month)
        earlier = await self._statements.of_month(names, context.month)
        accounts = [
            _account(each, contracts.get(each.customer_id, []), rows, whole, unbilled, earlier.get(each.customer_id, []))
            for each in customers
        ]
        return await asyncio.to_thread(_compose_all, accounts, context, earlier)

    async def _rows(self, customers: Sequence[Customer], month: date) -> dict[str, list[CdrRow]]:
        """CDRs on no statement yet, of this month or earlier."""
        ends = {each.customer_id: ends_at(month, each.time_zone) for each in customers}
        found: dict[str, list[CdrRow]] = {}
        for row in await self._ledger.unstated(list(ends), max(ends.values())):
            if row.customer_id is not None and row.ended_at < ends[row.customer_id]:
                found.setdefault(row.customer_id, []).append(row)
        return found

    async def _whole(
        self, contracts: Mapping[str, list[Contract]], rows: Mapping[str, list[CdrRow]], plans: Mapping[str, Plan]
    ) -> dict[str, Cdr]:
        """Breakdowns of the CDRs of contracts with included energy."""
        with_energy = {
            each.contract_id
            for found in contracts.values()
            for each in found
            if each.plan_id is not None and each.plan_id in plans and plans[each.plan_id].included_wh
        }
        wanted = [row.id for found in rows.values() for row in found if row.contract_id in with_energy]
        return await self._ledger.cdrs(wanted) if wanted else {}

    async def _unbilled(
        self, customers: Sequence[Customer], contracts: Mapping[str, list[Contract]], month: date
    ) -> dict[str, list[UnbilledSession]]:
        owners = {contract.contract_id: each for each in customers for contract in contracts.get(each.customer_id, [])}
        tokens = await self._customers.tokens(list(owners))
        found: dict[str, list[UnbilledSession]] = {}
        by_key = {token.key: (owners[contract_id], token) for contract_id, each in tokens.items() for token in each}
        for session in await self._ledger.of_tokens(sorted(by_key), [state.value for state in _SHOWN]):
            customer, token = by_key[session.token_key or ""]
            at = session.ended_at or session.began_at
            if at is None or session.cdr_id is not None or not token.valid_at(session.began_at or at):
                continue
            if month_of(at, ZoneInfo(customer.time_zone)) == month:
                found.setdefault(customer.customer_id, []).append(unbilled_session(session))
        return found


def unbilled_session(session: BilledSession) -> UnbilledSession:
    """How a session that has no CDR is shown on a statement."""
    issue = session.issue
    if issue is not None:
        return UnbilledSession(
            charge_point_id=session.charge_point_id, transaction_id=issue.transaction_id, reason=issue.reason,
            sentence=issue.sentence, connector=issue.connector, site_id=issue.site_id, began_at=issue.began_at,
            ended_at=issue.ended_at, energy_wh=issue.energy_wh,
        )  # fmt: skip
    return UnbilledSession(
        charge_point_id=session.charge_point_id, transaction_id=session.subject, reason=IssueReason.STILL_OPEN,
        sentence="it has not ended yet, or was only just reported: it will be on the next statement", began_at=session.began_at,
        ended_at=session.ended_at,
    )  # fmt: skip


_Earlier = Sequence[tuple[str, str, str, datetime]]


def _account(
    customer: Customer,
    contracts: Sequence[Contract],
    rows: Mapping[str, list[CdrRow]],
    whole: Mapping[str, Cdr],
    unbilled: Mapping[str, list[UnbilledSession]],
    earlier: _Earlier,
) -> Account:
    mine = rows.get(customer.customer_id, [])
    issued: dict[str, int] = {}
    numbered: dict[str, int] = {}
    for _, currency, state, _ in earlier:
        if state == StatementState.FINAL.value:
            issued[currency] = issued.get(currency, 0) + 1
        if state != StatementState.DRAFT.value:
            numbered[currency] = numbered.get(currency, 0) + 1
    listed = sorted(unbilled.get(customer.customer_id, []), key=lambda each: (each.charge_point_id, each.transaction_id or ""))
    bodies = {row.id: whole[row.id] for row in mine if row.id in whole}
    return Account(
        customer=customer, contracts=tuple(contracts), rows=tuple(mine), cdrs=bodies, unbilled=tuple(listed), issued=issued,
        numbered=numbered,
    )  # fmt: skip


def _compose_all(accounts: Sequence[Account], context: Context, earlier: Mapping[str, _Earlier]) -> list[Statement]:
    """A draft that is made again keeps the instant at which it was first made: nothing in it changes without a reason."""
    made_at = {statement_id: at for found in earlier.values() for statement_id, _, _, at in found}
    drafts = (
        each
        for account in accounts
        for each in compose(account, context.month, context.plans, context.house, context.site_names, context.now)
    )
    return [msgspec.structs.replace(each, created_at=made_at.get(each.id, each.created_at)) for each in drafts]


def compose_page(url: str, password: str | None, customers: bytes, context: bytes) -> bytes:
    """`Months.drafts` in a process of its own, from and to msgpack."""
    return asyncio.run(_compose_page(url, password, customers, context))


async def _compose_page(url: str, password: str | None, customers: bytes, context: bytes) -> bytes:
    database = Database(url, password=password, pool_size=1)
    try:
        page = msgspec.msgpack.decode(customers, type=list[Customer])
        made = await Months(sql_billing(database)).drafts(page, msgspec.msgpack.decode(context, type=Context))
    finally:
        await database.close()
    return msgspec.msgpack.encode(made)
