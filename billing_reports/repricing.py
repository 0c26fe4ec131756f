"""A comparison of tariffs over the CDRs that are stored. Decided here: which CDRs, how many at most, and one comparison at a time.

CDRs are read in pages, newest end first, and unpacked and priced in a thread: the platform goes on meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from billing_reports.cdr import Price, Usage
from billing_reports.cdr_row import CdrRow
from billing_reports.compare import Comparing, Comparison, Session
from billing_reports.plans import Plan
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.statement_store import BillingStores
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import series_named
from chargenet.errors import Conflict, Unavailable

MOST = 500_000
"""Sessions of one comparison."""
PAGE = 1_000
_LONGEST = timedelta(days=31)
"""How long before the period a session of it may have begun: from then on prices of series are read."""


class Repriced(msgspec.Struct, frozen=True):
    """A comparison, and how many CDRs of the period were taken back by a credit: they have no part in it."""

    comparison: Comparison
    taken_back: int


class Repricing:
    """Asks "what would tariff B have earned" of the ledger."""

    def __init__(self, kept: BillingStores, *, most: int = MOST, page: int = PAGE) -> None:
        self._ledger, self._tariffs, self._customers = kept.ledger, kept.tariffs, kept.customers
        self._most, self._page = most, page
        self._busy = asyncio.Lock()

    async def compare(self, tariff: Tariff, start: datetime, end: datetime, time_zone: str, site: str | None = None) -> Repriced:
        """Sessions that ended in [start, end), as they were billed and as `tariff` prices them.

        Plans of contracts grant what they grant today; member prices are not looked up. Raises TariffError, UsageError, Conflict
        for too many sessions, Unavailable while another comparison is worked on or a store does not answer.
        """
        if self._busy.locked():
            raise Unavailable("another comparison is being worked on: ask again when it is done")
        async with self._busy:
            series = await self._tariffs.series(series_named(tariff), start - _LONGEST, end)
            made = Comparing(tariff, time_zone, series)
            plans = await self._tariffs.plans()
            cursor, seen, taken_back = None, 0, 0
            while True:
                page = await self._ledger.page(
                    site_id=site, credit=False, since=start, until=end, cursor=cursor, limit=self._page
                )  # fmt: skip
                held = [row for row in page.items if row.credited_by is None]
                seen, taken_back = seen + len(held), taken_back + len(page.items) - len(held)
                if seen > self._most:
                    raise Conflict(f"these are more than {self._most} sessions: ask for fewer days, or for one site")
                usages = await self._ledger.usages([row.id for row in held])
                sessions = _sessions(held, usages, await self._policies(held, plans))
                await asyncio.to_thread(made.add, sessions)
                if (cursor := page.next_cursor) is None:
                    break
            return Repriced(await asyncio.to_thread(made.done), taken_back)

    async def _policies(self, rows: Sequence[CdrRow], plans: Mapping[str, Plan]) -> dict[str, PricingPolicy]:
        """Contract → what its plan grants, where it grants anything."""
        granting = {name: plan.policy for name, plan in plans.items() if plan.policy != DEFAULT}
        people = sorted({row.customer_id for row in rows if row.customer_id is not None}) if granting else []
        found = await self._customers.contracts(people) if people else {}
        return {
            each.contract_id: granting[each.plan_id]
            for held in found.values()
            for each in held
            if each.plan_id is not None and each.plan_id in granting
        }


def _sessions(rows: Sequence[CdrRow], usages: Mapping[str, Usage], policies: Mapping[str, PricingPolicy]) -> list[Session]:
    return [
        Session(
            cdr_id=row.id,
            site_id=row.site_id,
            ended_at=row.ended_at,
            currency=row.currency,
            total=Price(row.before_taxes, row.after_taxes),
            usage=usages[row.id],
            policy=policies.get(row.contract_id or "", DEFAULT),
            home=row.home,
        )
        for row in rows
    ]
