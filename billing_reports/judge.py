"""Looks at one transaction: fetches all that a price needs, then judges. Decided here: what is fetched; the judgement is pure.

The journal is read and the price is made in a worker thread: neither may hold up the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from billing_reports.assemble import LONGEST_RESERVATION, Assembled, assemble, issue_of, settles_at
from billing_reports.cdr import Cdr
from billing_reports.evidence import Evidence, gather
from billing_reports.frames import Frames
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.meter_keys import MeterKeys
from billing_reports.outcome import fresh, judged, reopened, waiting
from billing_reports.plans import Plan
from billing_reports.price import UsageError, zone_of
from billing_reports.rate import Terms, cdr_id, payer_at, rate, refused, terms_of
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.statement_store import BillingStores
from billing_reports.tariff_book import Place, TariffBook, series_named
from chargenet.model.transaction import Transaction, TransactionState
from chargenet.stores import Stores

LATE_SETTLE = timedelta(minutes=5)
"""Late reports about a billed transaction come in bursts: it is judged again once they have ended."""


class Rules(msgspec.Struct, frozen=True):
    """Settings that judging needs."""

    default_tariff: str = ""
    time_zone: str = "UTC"
    """Of sites that say none."""
    plug_out_wait: timedelta = timedelta(hours=12)


class Surroundings(msgspec.Struct, frozen=True):
    """Where a connector is."""

    place: Place
    time_zone: str
    meter_id: str | None


class Judge:
    """One look at a time; what it remembers between looks is tariffs, plans and keys, until `forget`."""

    def __init__(
        self,
        kept: BillingStores,
        stores: Stores,
        frames: Frames,
        site_of: Callable[[str], str],
        rules: Rules,
    ) -> None:
        self._ledger, self._tariffs, self._customers, self._stores = kept.ledger, kept.tariffs, kept.customers, stores
        self._meter_keys = kept.meter_keys
        self._frames, self._site_of, self._rules = frames, site_of, rules
        self._book: TariffBook | None = None
        self._plans: Mapping[str, Plan] = {}
        self._keys: MeterKeys | None = None

    def forget(self) -> None:
        """Tariffs, plans or keys of meters changed."""
        self._book = self._keys = None

    async def keys(self) -> MeterKeys:
        """The public keys of meters that are registered now."""
        if self._keys is None:
            self._keys = MeterKeys(await self._meter_keys.keys())
        return self._keys

    async def book(self) -> TariffBook:
        """All tariffs and assignments as they are now."""
        if self._book is None:
            versions, assignments = await self._tariffs.versions(), await self._tariffs.assignments()
            self._plans = await self._tariffs.plans()
            self._book = TariffBook(versions, assignments, self._rules.default_tariff)
        return self._book

    async def look(
        self, row: Transaction, session: BilledSession | None, aliases: Sequence[str], head: int, now: datetime, *, again: bool
    ) -> Change | None:
        """What must be stored about a transaction; None where nothing is new. `again`: judge it though nothing was reported."""
        known = session or fresh(row)
        if row.state == TransactionState.OPEN:
            return await self._running(row, session, known, now)
        news = row.last_sequence > known.seen_sequence
        if known.state in (SessionState.DISMISSED, SessionState.RESOLVED) or not (news or again):
            return None
        if news and known.cdr_id is not None and not again:
            return waiting(known, row, now + LATE_SETTLE, now)
        settled = known.cdr_id is not None or known.state is SessionState.ISSUE
        upto = max(known.evidence_upto, row.last_sequence) if settled else head
        evidence = await asyncio.to_thread(self._gather, row, aliases, upto)
        until = None if settled else settles_at(row, evidence, self._rules.plug_out_wait)
        if until is not None and until > now:
            return waiting(known, row, until, now)
        old = None if known.cdr_id is None else await self._ledger.cdr(known.cdr_id)
        found = await self._judged(row, evidence, known.revision + 1, now)
        return judged(known, row, found, old, now, max(evidence.upto, known.evidence_upto))

    async def _running(self, row: Transaction, session: BilledSession | None, known: BilledSession, now: datetime) -> Change | None:
        if session is not None and session.state is SessionState.OPEN:
            return None
        old = None if known.cdr_id is None else await self._ledger.cdr(known.cdr_id)
        return reopened(known, row, old, now)

    def _gather(self, row: Transaction, aliases: Sequence[str], upto: int) -> Evidence:
        since = None
        if row.reservation_id is not None and row.began_at is not None:
            since = row.began_at - LONGEST_RESERVATION
        told = self._frames.between(row.charge_point_id, row.first_sequence, upto, since=since)
        return gather(row, told.facts, ids=aliases, complete=told.complete)

    async def _judged(self, row: Transaction, evidence: Evidence, revision: int, now: datetime) -> Cdr | BillingIssue:
        around = await self._around(row)
        try:
            zone_of(around.time_zone)
        except UsageError as problem:
            return self._at(issue_of(row, IssueReason.TARIFF_UNUSABLE, f"the site's {problem.problem}"), around)
        keys = (await self.keys()).at(row.charge_point_id, row.connector, row.began_at, around.meter_id)
        used = await asyncio.to_thread(assemble, row, evidence, around.time_zone, keys=keys)
        if isinstance(used, BillingIssue):
            return self._at(used, around)
        payer = None if row.token_key is None else await self._customers.payer(row.token_key, used.priced_from)
        payer = payer_at(payer, used.priced_from)
        if (nobody := refused(row, payer, used.usage.energy_wh)) is not None:
            return self._at(nobody, around)
        terms = terms_of(await self.book(), around.place, used.priced_from, payer, self._plans)
        if not isinstance(terms, Terms):
            return self._at(issue_of(row, *terms), around)
        names = series_named(terms.tariff)
        series = await self._tariffs.series(names, used.started_at, _last(used)) if names else {}
        made = await asyncio.to_thread(
            rate, row, used, around.place, terms, payer, series,
            cdr_id=cdr_id(row.first_sequence, revision), now=now, meter_id=around.meter_id,
        )  # fmt: skip
        return self._at(made, around) if isinstance(made, BillingIssue) else made

    async def _around(self, row: Transaction) -> Surroundings:
        site_id = self._site_of(row.charge_point_id) or None
        site = None if site_id is None else await self._stores.sites.get(site_id)
        point = await self._stores.stations.charge_point(row.charge_point_id)
        meter_id = None if point is None else point.state.meter_serial_number
        zone = None if site is None else site.time_zone
        return Surroundings(Place(row.charge_point_id, row.connector, site_id), zone or self._rules.time_zone, meter_id)

    def _at(self, issue: BillingIssue, around: Surroundings) -> BillingIssue:
        return msgspec.structs.replace(issue, site_id=around.place.site_id)


def _last(used: Assembled) -> datetime:
    return used.ended_at + timedelta(milliseconds=1)
