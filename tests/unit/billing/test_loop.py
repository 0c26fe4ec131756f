"""The loop over real stores and a journal in memory: idempotent, late reports settle, a mistake stops nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing_reports.customers import Contract, ContractToken
from billing_reports.desk import BillingDesk
from billing_reports.frames import Frames
from billing_reports.judge import LATE_SETTLE, Judge, Rules
from billing_reports.loop import UNKNOWN, Loop
from billing_reports.needed import EVERY_S, HOLD
from billing_reports.runner import Runner
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.opened import sql_billing
from billing_reports.storage.tariffs_sql import SqlTariffs
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, Scope
from chargenet.events import Fact
from chargenet.model.record import Record
from chargenet.model.words import RecordKind
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.testing import FrozenClock, MemoryJournal
from collector.projections.transactions import TransactionsProjection
from tests.support.billing_month import HOUSE, TARIFF, customers
from tests.support.billing_story import Report, facts_of
from tests.support.facts import DAY

STORY: list[Report] = [
    {"is": "start", "at": 0, "wh": 1000},
    {"is": "reading", "at": 600, "wh": 3000},
    {"is": "stop", "at": 1200, "wh": 5000},
]


class Emptying(MemoryJournal):
    """A journal from which retention removed what lies before `begins`."""

    begins = 1

    @property
    def first_sequence(self) -> int:
        return max(super().first_sequence, self.begins)


class Told:
    """Facts, as feed, as journal's records, and as the transactions read model has them."""

    def __init__(self, stores: SqlStores) -> None:
        self.facts: list[Fact] = []
        self.journal = Emptying()
        self._projection = TransactionsProjection(stores.transactions)

    @property
    def head(self) -> int:
        """The last fact."""
        return len(self.facts)

    async def next(self, after: int, limit: int = 2000) -> Sequence[Fact]:
        """From memory."""
        return self.facts[after : after + limit]

    def interpret(self, record: Record) -> Fact:
        """The fact that was told under this number."""
        return self.facts[record.sequence - 1]

    async def tell(self, *reports: Report) -> None:
        """Some more reports."""
        numbered = facts_of([{"is": "status", "word": "Available"}] * len(self.facts) + list(reports))[len(self.facts) :]
        for fact in numbered:
            self.facts.append(fact)
            self.journal.append(
                received_at_us=int(fact.received_at.timestamp() * 1e6), charge_point_id="CP1", generation=1, protocol="ocpp1.6",
                kind=RecordKind.CALL, frame=b"{}",
            )  # fmt: skip
            await self._projection.apply([fact], fact.sequence)


class World:
    """A loop and everything around it."""

    def __init__(self, stores: SqlStores) -> None:
        self.stores, self.told = stores, Told(stores)
        self.clock = FrozenClock(DAY + timedelta(days=1))
        self.ledger, self.tariffs = SqlLedger(stores.database), SqlTariffs(stores.database)
        self.loop = self.restarted()

    def restarted(self, site_of: Callable[[str], str] = lambda _: "") -> Loop:
        """As after kill -9: nothing but the stores is left."""
        frames = Frames(self.told.journal, self.told.interpret)
        judge = Judge(sql_billing(self.stores.database), self.stores, frames, site_of, Rules())
        self.loop = Loop(self.ledger, judge, self.stores, self.told, self.clock)
        return self.loop

    def desk(self) -> BillingDesk:
        """What people ask of this loop."""
        database = self.stores.database
        runner = Runner(sql_billing(database), self.stores.sites, self.clock, HOUSE)
        frames = Frames(self.told.journal, self.told.interpret)
        return BillingDesk(sql_billing(database), self.loop, runner, frames, self.clock, HOUSE, Rules())

    async def price(self, tariff: Tariff = TARIFF) -> None:
        """A tariff for the network."""
        await self.tariffs.add(tariff, self.clock.now(), None)
        await self.tariffs.assign(Assignment(tariff_id=tariff.id, scope=Scope.NETWORK))
        self.loop.retry()

    async def made(self) -> list[tuple[str, Decimal]]:
        """All CDRs, in the order in which they were made."""
        return [(row.id, row.before_taxes) for row in await self.ledger.made_after(0)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Nothing was told yet, and there is no tariff."""
    url = f"sqlite:///{tmp_path / 'loop.sqlite'}"
    migrate(url)
    stores = SqlStores(url)
    yield World(stores)
    await stores.close()


NET = Decimal(4000) * Decimal("0.4217") / 1000


async def test_what_ended_is_billed_once(world: World) -> None:
    """Ticks, restarts and the same facts again make no second CDR."""
    await world.price()
    await world.told.tell(*STORY)
    assert await world.loop.tick() == 3
    await world.loop.tick()
    await world.restarted().tick()
    assert await world.made() == [("C000000001", NET)]
    assert await world.ledger.counts() == ({"billed": 1}, {})


async def test_a_tariff_that_comes_late_prices_what_waited(world: World) -> None:
    """Without a tariff it is an issue, never silence; with one it is billed at the next tick."""
    await world.told.tell(*STORY)
    await world.loop.tick()
    assert await world.ledger.counts() == ({"issue": 1}, {"tariff_missing": 1})
    await world.price()
    await world.loop.tick()
    assert await world.made() == [("C000000001", NET)]


async def test_a_late_stop_register_is_a_credit_and_a_new_cdr(world: World) -> None:
    """The estimated end is billed first; the reported stop replaces it once late reports have settled."""
    await world.price()
    await world.told.tell(*STORY[:2], {"is": "status", "at": 900, "word": "Available"})
    await world.loop.tick()
    estimated = Decimal(2000) * Decimal("0.4217") / 1000
    assert await world.made() == [("C000000001", estimated)]
    await world.told.tell({"is": "stop", "at": 1200, "received": 9000, "wh": 5000})
    await world.loop.tick()
    assert len(await world.made()) == 1
    world.clock.advance(LATE_SETTLE.total_seconds() + 1)
    await world.loop.tick()
    assert await world.made() == [("C000000001", estimated), ("C000000001-CR", -estimated), ("C000000001-2", NET)]


async def test_a_mistake_of_ours_is_an_issue_and_stops_nobody(world: World) -> None:
    """The transaction is listed as failed and billed once the mistake is gone."""
    await world.price()
    await world.told.tell(*STORY)

    def broken(charge_point_id: str) -> str:
        raise ZeroDivisionError(charge_point_id)

    await world.restarted(broken).tick()
    assert await world.ledger.counts() == ({"issue": 1}, {"failed": 1})
    await world.restarted().tick()
    assert await world.made() == [("C000000001", NET)]


async def test_a_stop_of_nobody_is_listed_until_it_finds_its_start(world: World) -> None:
    """Quarantined: an issue; claimed by a late start: resolved, and the transaction is billed."""
    await world.price()
    await world.told.tell({"is": "stop", "id": None, "at": 1200, "wh": 5000})
    await world.loop.tick()
    assert (await world.ledger.counts())[1] == {"stop_unmatched": 1}
    await world.told.tell({"is": "start", "at": 0, "received": 1300, "wh": 1000})
    await world.loop.tick()
    states, reasons = await world.ledger.counts()
    assert (states.get("resolved"), states.get("billed"), reasons) == (1, 1, {})


async def test_a_transaction_that_is_gone_is_put_off(world: World) -> None:
    """Its row waits; the others are not held up, and it is looked for again a day later."""
    await world.price()
    gone = BilledSession(charge_point_id="CP9", subject="9", state=SessionState.WAITING, look_at=DAY)
    await world.ledger.save(Change(sessions=(gone,)))
    await world.told.tell(*STORY)
    await world.loop.tick()
    assert await world.made() == [("C000000001", NET)]
    [kept] = (await world.ledger.sessions([("CP9", "9")])).values()
    assert kept.look_at == world.clock.now() + UNKNOWN


async def test_a_token_that_finds_its_customer_is_billed_anew(world: World) -> None:
    """The CDR without customer is credited, a new one names the customer; what a person dismissed stays dismissed."""
    await world.price()
    await world.told.tell(*STORY)
    await world.loop.tick()
    desk = world.desk()
    await desk.put_customers(customers(1))
    await desk.put_contracts([Contract(contract_id="k", customer_id="c000000", first_day=DAY.date())])
    assert await desk.put_tokens([ContractToken(token="aa", contract_id="k", valid_from=DAY)]) == 1
    await world.loop.tick()
    made = await world.made()
    assert made == [("C000000001", NET), ("C000000001-CR", -NET), ("C000000001-2", NET)]
    assert [(await world.ledger.row(name)).customer_id for name, _ in made] == [None, None, "c000000"]
    [(_, _, lines, net, _, payable)] = await desk.preview(DAY.date().replace(day=1))
    assert (lines, net.amount, payable.amount) == (1, Decimal("1.69"), Decimal("2.01"))
    await desk.credit("C000000001-2", "a gift", rebill=False)
    await world.restarted().tick()
    assert (await world.ledger.counts())[0] == {"dismissed": 1}
    assert sum(net for _, net in await world.made()) == 0


async def test_the_journal_keeps_what_is_still_to_be_billed(world: World) -> None:
    """Up to the begin of what runs or waits; all of it once that is billed; for seven days at most."""
    await world.price()
    await world.told.tell({"is": "status", "at": -10, "word": "Available"}, *STORY[:2])
    await world.loop.tick()
    assert (world.loop.position, await world.loop.released()) == (3, 1)
    assert await world.restarted().tick() == 3 and await world.loop.released() == 1
    await world.told.tell(*STORY[2:])
    await world.loop.tick()
    world.clock.advance(EVERY_S + 1)
    assert await world.loop.released() == 4


async def test_what_never_ends_does_not_fill_the_disk(world: World) -> None:
    """After a week it holds up nothing."""
    await world.told.tell(*STORY[:2])
    await world.loop.tick()
    assert await world.loop.released() == 0
    world.clock.advance(HOLD.total_seconds())
    assert await world.loop.released() == 2


async def test_a_trace_says_that_retention_removed_a_frame(world: World) -> None:
    """With the record the journal begins with now, and what the CDR keeps of the frame; nothing else changes."""
    await world.price()
    await world.told.tell(*STORY)
    await world.loop.tick()
    before = await world.desk().trace("C000000001")
    assert not any(frame.lost for frame in before.frames)
    world.told.journal.begins = 3
    after = await world.desk().trace("C000000001")
    assert [(frame.sequence, frame.lost) for frame in after.frames] == [(1, True), (2, True), (3, False)]
    first = after.frames[0]
    assert (first.journal_begins, first.journal_begins_at) == (3, after.frames[2].received_at)
    assert first.copied == (f"start at {DAY.isoformat()}, register 1000 Wh",)
    assert (after.lines, after.points) == (before.lines, before.points)
