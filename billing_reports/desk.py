"""What people ask of billing. Decided here: what each step checks, and what it makes the program look at again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.cdr import Cdr, SignedReading
from billing_reports.cdr_row import CdrRow
from billing_reports.customers import Contract, ContractToken, Customer
from billing_reports.frames import Frames
from billing_reports.house import House
from billing_reports.judge import Rules
from billing_reports.loop import Loop
from billing_reports.meter_keys import MeterKey, MeterKeys
from billing_reports.money import Money, minor_units
from billing_reports.month import ends_at
from billing_reports.numbering import issuable
from billing_reports.outcome import dismissed
from billing_reports.plans import Plan
from billing_reports.repricing import Repricing
from billing_reports.runner import Runner
from billing_reports.runs import Run
from billing_reports.series import PriceSeries
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.signed import verified_again
from billing_reports.statement import Statement
from billing_reports.statement_store import BillingStores
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, TariffVersion
from billing_reports.totals import Lines, joined, lines_of, month_totals
from billing_reports.trace import CdrTraceView, TracedFrame, copied_from, sequences_of, traced
from chargenet.errors import Conflict, NotFound
from chargenet.ports import Clock

_EVERY = 500


class BillingDesk:
    """The program's front. Its stores are open to readers; whatever changes something goes through here."""

    def __init__(
        self, kept: BillingStores, loop: Loop, runner: Runner, frames: Frames, clock: Clock, house: House, rules: Rules
    ) -> None:
        self.ledger, self.tariffs, self.customers, self.statements = kept.ledger, kept.tariffs, kept.customers, kept.statements
        self.meter_keys = kept.meter_keys
        self.house, self.rules = house, rules
        self.repricing = Repricing(kept)
        self._loop, self._runner, self._frames, self._clock = loop, runner, frames, clock
        self.begun = asyncio.Event()
        """Set when a run waits to be worked on."""

    # -- tariffs

    async def add_tariff(
        self, tariff: Tariff, *, effective_from: datetime | None = None, assignments: Sequence[Assignment] = ()
    ) -> TariffVersion:
        """A new tariff, or a new version of one, and where it holds. What waited for it is priced now."""
        made = await self.tariffs.add(tariff, self._clock.now(), effective_from)
        for each in assignments:
            await self.tariffs.assign(each)
        self._loop.retry()
        return made

    async def remove_tariff(self, tariff_id: str) -> None:
        """No transaction begins under it from now on."""
        await self.tariffs.remove(tariff_id, self._clock.now())
        self._loop.retry()

    async def assign(self, assignment: Assignment) -> None:
        """A tariff at a place."""
        await self.tariffs.assign(assignment)
        self._loop.retry()

    async def unassign(self, key: str) -> None:
        """Take an assignment back."""
        await self.tariffs.unassign(key)
        self._loop.retry()

    async def put_series(self, series: Sequence[PriceSeries]) -> int:
        """Prices of a series; intervals that overlap stored ones replace them. How many intervals."""
        count = sum([await self.tariffs.put_series(each) for each in series])
        self._loop.retry()
        return count

    async def put_plan(self, plan: Plan) -> None:
        """Create a plan, or replace it."""
        await self.tariffs.put_plan(plan)
        self._loop.retry()

    # -- meters

    async def register_key(self, key: MeterKey) -> None:
        """A meter's public key, for transactions that are billed from now on. CDRs that were made keep their verdicts."""
        await self.meter_keys.put(key)
        self._loop.retry()

    async def remove_key(self, key_id: str) -> MeterKey:
        """Forget a key; as it was. NotFound."""
        removed = await self.meter_keys.remove(key_id)
        self._loop.retry()
        return removed

    async def signed_now(self, cdr_id: str) -> tuple[SignedReading, ...]:
        """The signed values of a CDR judged by the keys that are registered now. The CDR stays as it is."""
        cdr = await self.ledger.cdr(cdr_id)
        keys = MeterKeys(await self.meter_keys.keys())
        known = keys.at(cdr.charge_point_id or "", cdr.connector, cdr.started_at, cdr.meter_id)
        return await asyncio.to_thread(verified_again, cdr.signed, known)

    # -- customers

    async def put_customers(self, rows: Sequence[Customer]) -> None:
        """Create customers, or replace them; `created_at` stays."""
        now = self._clock.now()
        known = await self.customers.created([each.customer_id for each in rows])
        stamped = [msgspec.structs.replace(each, created_at=known.get(each.customer_id, now), updated_at=now) for each in rows]
        await self.customers.put(stamped)

    async def put_contracts(self, rows: Sequence[Contract]) -> None:
        """Create contracts, or replace them."""
        await self.customers.put_contracts(rows)
        self._loop.retry()

    async def put_tokens(self, rows: Sequence[ContractToken]) -> int:
        """Who pays for these tokens. CDRs of theirs without a customer are looked at again; how many."""
        await self.customers.put_tokens(rows)
        keys = sorted({each.key for each in rows})
        async with self._loop.lock:
            alone = await self.ledger.of_tokens(keys, [SessionState.BILLED.value])
            marked = [each for each in alone if each.customer_id is None]
            now = self._clock.now()
            for start in range(0, len(marked), _EVERY):
                again = tuple(
                    msgspec.structs.replace(each, state=SessionState.WAITING, look_at=now)
                    for each in marked[start : start + _EVERY]
                )
                await self.ledger.save(Change(sessions=again))
        self._loop.retry()
        return len(marked)

    @staticmethod
    def begin_of(day: date, time_zone: str) -> datetime:
        """The first instant of a local day, UTC."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone)).astimezone(UTC)

    # -- CDRs

    async def trace(self, cdr_id: str) -> CdrTraceView:
        """Every figure of a CDR with the frames it rests on."""
        cdr = await self.ledger.cdr(cdr_id)
        frames = await asyncio.to_thread(self._read, cdr)
        return traced(cdr, frames)

    def _read(self, cdr: Cdr) -> list[TracedFrame]:
        found = []
        begins, at = self._frames.begins()
        for sequence in sequences_of(cdr):
            record = self._frames.one(sequence)
            if record is None:
                kept = copied_from(cdr, sequence)
                found.append(TracedFrame(
                    sequence=sequence, lost=True, journal_begins=begins, journal_begins_at=at, copied=kept
                ))  # fmt: skip
            else:
                frame, reply = record.frame.decode("utf-8", "replace"), record.reply.decode("utf-8", "replace")
                found.append(TracedFrame(
                    sequence=sequence, received_at=record.received_at, protocol=record.protocol, frame=frame, reply=reply
                ))  # fmt: skip
        return found

    async def credit(self, cdr_id: str, remark: str, *, rebill: bool) -> list[CdrRow]:
        """Take a CDR back. `rebill`: and make a new one by the tariffs and contracts of now. The CDRs that were made."""
        async with self._loop.lock:
            row = await self.ledger.row(cdr_id)
            session = await self._session_of(row)
            old = await self.ledger.cdr(cdr_id)
            now = self._clock.now()
            change = dismissed(session, old, now, remark)
            if rebill:
                again = msgspec.structs.replace(session, state=SessionState.WAITING, look_at=now, cdr_id=None, seen_sequence=0)
                change = msgspec.structs.replace(change, sessions=(again,))
            await self.ledger.save(change)
            if rebill:
                self._loop.retry()
                await self._loop.look([(session.charge_point_id, session.subject)])
                session = await self._session(session.charge_point_id, session.subject)
            made = [change.cdrs[0].id, *([session.cdr_id] if rebill and session.cdr_id is not None else [])]
            return [await self.ledger.row(each) for each in made]

    async def _session_of(self, row: CdrRow) -> BilledSession:
        if row.credit or row.credited_by is not None:
            what = "is a credit itself" if row.credit else f"is credited by {row.credited_by}"
            raise Conflict(f"CDR {row.id} {what}")
        if row.charge_point_id is None or row.transaction_id is None:
            raise Conflict(f"CDR {row.id} belongs to no transaction of this platform")
        session = await self._session(row.charge_point_id, row.transaction_id)
        if session.cdr_id != row.id:
            raise Conflict(f"CDR {row.id} is not the one that holds for its transaction")
        return session

    async def _session(self, charge_point_id: str, subject: str) -> BilledSession:
        found = await self.ledger.sessions([(charge_point_id, subject)])
        if not found:
            raise NotFound("transaction", subject)
        return found[charge_point_id, subject]

    async def dismiss(self, charge_point_id: str, subject: str, remark: str) -> BilledSession:
        """Nobody is charged for a transaction that could not be billed."""
        async with self._loop.lock:
            session = await self._session(charge_point_id, subject)
            if session.state is not SessionState.ISSUE:
                raise Conflict(f"transaction {subject} is {session.state}; only one that could not be billed is dismissed")
            await self.ledger.save(dismissed(session, None, self._clock.now(), remark))
            return await self._session(charge_point_id, subject)

    # -- statements

    async def preview(self, month: date) -> list[tuple[str, int, int, Money, Money, Money]]:
        """What the CDRs of a month come to that are on no statement yet: (currency, customers, lines, net, tax, payable).

        As if every price were before taxes and without plans: control totals, not a statement.
        """
        known: dict[str, dict[str, int]] = {}
        found: dict[str, list[Lines]] = {}
        after = ""
        while page := await self.customers.after(after, _EVERY):
            rows = await self._unstated(page, month)
            for currency in {row.currency for row in rows}:
                numbers = known.setdefault(currency, {})
                found.setdefault(currency, []).append(await asyncio.to_thread(lines_of, rows, numbers, currency))
            after = page[-1].customer_id
        return [_totals(currency, joined(parts), len(known[currency])) for currency, parts in sorted(found.items())]

    async def _unstated(self, customers: Sequence[Customer], month: date) -> list[CdrRow]:
        ends = {each.customer_id: ends_at(month, each.time_zone) for each in customers}
        rows = await self.ledger.unstated(list(ends), max(ends.values()))
        return [row for row in rows if row.customer_id is not None and row.ended_at < ends[row.customer_id] and not row.home]

    async def run(
        self, month: date, *, time_zone: str | None = None, finalize: bool = False, unfinished_month: bool = False, who: str = ""
    ) -> Run:
        """Begin a billing run; the program works on it. Ask `statements.run` how far it is."""
        run = await self._runner.begin(month, time_zone=time_zone, finalize=finalize, unfinished_month=unfinished_month, who=who)
        self.begun.set()
        return run

    async def statement(self, statement_id: str) -> Statement:
        """A statement with its CDRs, by id or number: what documents are made of."""
        found = await self.statements.statement(statement_id)
        cdrs: Mapping[str, Cdr] = await self.ledger.cdrs({each.cdr_id for each in found.lines if each.cdr_id is not None})
        lines = tuple(
            each if each.cdr_id is None else msgspec.structs.replace(each, cdr=cdrs.get(each.cdr_id)) for each in found.lines
        )
        return msgspec.structs.replace(found, lines=lines)

    async def finalize(self, statement_ids: Sequence[str]) -> list[Statement]:
        """Number drafts and issue them, all or none."""
        issuable(self.house)
        days = []
        for each in statement_ids:
            own = (await self.customers.customer((await self.statements.statement(each)).customer_id)).payment_days
            days.append(self.house.payment_days if own is None else own)
        return await self.statements.finalize(statement_ids, self._clock.now(), days)

    async def credit_statement(self, statement_id: str, remark: str) -> Statement:
        """Take a final statement back by a credit note. What was on it can be billed again by the next run."""
        issuable(self.house)
        return await self.statements.credit(statement_id, self.house.credit_series, self._clock.now(), remark)


def _totals(currency: str, lines: Lines, customers: int) -> tuple[str, int, int, Money, Money, Money]:
    made = month_totals(lines, customers)
    cent = Decimal(1).scaleb(-minor_units(currency))
    net, tax = (Money(int(each.sum()) * cent, currency) for each in (made.net, made.tax))
    return currency, customers, int(made.lines.sum()), net, tax, net + tax
