"""The journal's facts → CDRs. Decided here: the order of things, so that a kill at any moment neither loses nor doubles a CDR.

Each batch of facts is judged, then its CDRs, its issues and the position are stored in one SQL transaction. Ids of CDRs follow from
the transaction and its revision, so the same judgement made twice cannot be stored twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from billing_reports.assemble import issue_of
from billing_reports.intake import Key, touched
from billing_reports.issue import PASSING, IssueReason
from billing_reports.judge import Judge
from billing_reports.needed import Needed
from billing_reports.outcome import fresh, judged, merged, report_issue, waiting
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.store import LedgerStore
from chargenet.errors import ChargewatchError, Conflict
from chargenet.events import Fact
from chargenet.model.transaction import Transaction
from chargenet.ports import Clock, Feed
from chargenet.stores import Stores, Transactions, TransactionsLoaded

log = logging.getLogger(__name__)

BATCH = 2_000
LOOKS = 200
"""Transactions judged before they are stored."""
RETRY = timedelta(hours=1)
"""After a mistake of ours about a transaction that has a CDR: the CDR stays meanwhile."""
UNKNOWN = timedelta(days=1)
"""Until a waiting transaction that the read model does not know is looked for again."""
RUNNING = 200_000
"""Open transactions remembered, so that their readings cost no query."""


class Loop:
    """Owns the position. `lock` keeps what people ask for apart from a tick."""

    def __init__(self, ledger: LedgerStore, judge: Judge, stores: Stores, feed: Feed, clock: Clock) -> None:
        self._ledger, self._judge, self._stores, self._feed, self._clock = ledger, judge, stores, feed, clock
        self._running: set[Key] | None = None
        self._retry = True
        self._needed = Needed(ledger, stores.transactions, clock)
        self.lock = asyncio.Lock()
        self.position = 0

    def retry(self) -> None:
        """What could not be priced for want of a tariff, a price or a customer is tried again by the next tick."""
        self._judge.forget()
        self._retry = True

    async def tick(self) -> int:
        """Everything that is known now; the position reached. Raises StoreUnavailable, and Conflict when another process bills."""
        async with self.lock:
            if self._running is None:
                self._running = set(await self._ledger.open_keys(RUNNING))
            self.position = await self._ledger.position()
            head = min(self._feed.head, await self._stores.transactions.position())
            while self.position < head:
                facts = [fact for fact in await self._feed.next(self.position, BATCH) if fact.sequence <= head]
                upto = facts[-1].sequence if facts else head
                await self._take_in(facts, upto, head)
            await self._due(head)
            if self._retry:
                self._retry = False
                await self._again(head)
            return self.position

    async def released(self) -> int:
        """The last record of the journal that retention may remove. Raises StoreUnavailable."""
        return await self._needed.released(self.position, self._running or ())

    async def look(self, keys: Iterable[Key]) -> None:
        """Judge these transactions now, under the lock of the caller."""
        await self._judge_all(frozenset(keys), await self._ledger.position(), again=True)

    async def _take_in(self, facts: Sequence[Fact], upto: int, head: int) -> None:
        running = self._running if self._running is not None else set()
        news = touched(facts, running)
        active = await self._ledger.active(sorted(news.places)) if news.places else []
        keys = news.named | {(each.charge_point_id, each.subject) for each in active}
        told = await self._look(sorted(keys), head, waiting=True)
        for change in told[:-1]:
            await self._save(change)
        reports = await self._quarantine(news.stops)
        last = merged([*told[-1:], Change(sessions=tuple(reports))], (self.position, upto))
        await self._save(last)
        self.position = upto

    async def _due(self, head: int) -> None:
        """Waiting transactions whose time has come. Each is judged again or put off, so none is due twice."""
        while due := await self._ledger.due(self._clock.now(), LOOKS):
            keys = frozenset((each.charge_point_id, each.subject) for each in due)
            await self._judge_all(keys, head, again=True)
            await self._put_off(keys)

    async def _put_off(self, keys: frozenset[Key]) -> None:
        """Those that are still due: the read model does not know their transactions, perhaps not yet."""
        now = self._clock.now()
        left = [
            each
            for each in (await self._ledger.sessions(keys)).values()
            if each.state is SessionState.WAITING and each.look_at is not None and each.look_at <= now
        ]
        if left:
            log.warning("billing: %d ended transactions are not known, the first is %s", len(left), left[0].subject)
            await self._save(Change(sessions=tuple(msgspec.structs.replace(each, look_at=now + UNKNOWN) for each in left)))

    async def _again(self, head: int) -> None:
        after: Key = ("", "")
        while found := await self._ledger.of_reasons(sorted(PASSING), after, LOOKS):
            await self._judge_all(frozenset((each.charge_point_id, each.subject) for each in found), head, again=True)
            after = (found[-1].charge_point_id, found[-1].subject)

    async def _judge_all(self, keys: frozenset[Key], head: int, *, again: bool) -> None:
        for change in await self._look(sorted(keys), head, again=again):
            await self._save(change)

    async def _look(self, keys: Sequence[Key], head: int, *, again: bool = False, waiting: bool = False) -> list[Change]:
        """Changes, each of at most LOOKS transactions. `waiting`: those that wait are judged again."""
        made = []
        for start in range(0, len(keys), LOOKS):
            loaded = await self._stores.transactions.find_many(keys[start : start + LOOKS])
            made.append(await self._judge_loaded(loaded, head, again=again, waiting=waiting))
        return made

    async def _judge_loaded(self, loaded: TransactionsLoaded, head: int, *, again: bool, waiting: bool) -> Change:
        rows = {(row.charge_point_id, row.transaction_id): row for row in loaded.transactions}
        sessions = await self._ledger.sessions(list(rows))
        aliases: dict[Key, list[str]] = {}
        for alias in loaded.aliases:
            aliases.setdefault((alias.charge_point_id, alias.transaction_id), []).append(alias.alias_id)
        changes = []
        for key, row in rows.items():
            session = sessions.get(key)
            forced = again or (waiting and _waits(session))
            change = await self._one(row, session, aliases.get(key, ()), head, again=forced)
            if change is not None:
                changes.append(change)
        return merged(changes)

    async def _one(
        self, row: Transaction, session: BilledSession | None, aliases: Sequence[str], head: int, *, again: bool
    ) -> Change | None:
        """One judgement. A transaction that trips over a mistake of ours becomes an issue: it must not stop all the others."""
        now = self._clock.now()
        try:
            return await self._judge.look(row, session, aliases, head, now, again=again)
        except ChargewatchError:
            raise
        except Exception:
            log.exception("billing: transaction %s of %s cannot be judged", row.transaction_id, row.charge_point_id)
            known = session or fresh(row)
            if known.cdr_id is not None:
                return waiting(known, row, now + RETRY, now)
            issue = issue_of(row, IssueReason.FAILED, "judging it failed; the platform's log says why, and it is tried again")
            return judged(known, row, issue, None, now, known.evidence_upto)

    async def _quarantine(self, charge_point_ids: frozenset[str]) -> list[BilledSession]:
        """Stops without transaction, where they are new or found their transaction."""
        found = await quarantined(self._stores.transactions, charge_point_ids, self._clock.now())
        known = await self._ledger.sessions([(each.charge_point_id, each.subject) for each in found])
        states = {key: each.state for key, each in known.items()}
        return [
            each for each in found if states.get((each.charge_point_id, each.subject)) not in (each.state, SessionState.DISMISSED)
        ]

    async def _save(self, change: Change) -> None:
        """Store, and remember which transactions run."""
        try:
            await self._ledger.save(change)
        except Conflict:
            self._running = None
            raise
        if self._running is not None:
            for each in change.sessions:
                key = (each.charge_point_id, each.subject)
                if each.state is SessionState.OPEN and len(self._running) < RUNNING:
                    self._running.add(key)
                else:
                    self._running.discard(key)


def _waits(session: BilledSession | None) -> bool:
    return session is not None and session.state is SessionState.WAITING and session.cdr_id is None


async def quarantined(transactions: Transactions, charge_point_ids: Iterable[str], now: datetime) -> list[BilledSession]:
    """Stops without transaction at these charge points, as sessions."""
    found = []
    for charge_point_id in sorted(charge_point_ids):
        page = await transactions.quarantine(charge_point_id=charge_point_id, limit=100)
        found += [report_issue(each, None, now) for each in page.items]
    return found
