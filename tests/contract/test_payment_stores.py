"""What payments keep: the same in memory, on SQLite and on PostgreSQL; and what billing's own tables say is owed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from billing_reports.cdr import credit_of
from billing_reports.customers import Contract, ContractToken, Customer
from billing_reports.money import Money
from billing_reports.party import Party
from billing_reports.payments.facts import Owed
from billing_reports.payments.machine import request, stop
from billing_reports.payments.payment import Action, PaymentState
from billing_reports.payments.store import PaymentStore
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.statement import Statement, StatementTotals
from billing_reports.storage.customers_sql import SqlCustomers
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.payment_books import SqlBooks
from billing_reports.storage.payments_memory import MemoryPayments
from billing_reports.storage.payments_sql import SqlPayments
from billing_reports.storage.statements_sql import SqlStatements
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational import SqlStores
from tests.support.billing_month import cdr
from tests.support.payments import NOW, charge, method, payment
from tests.support.postgres import postgres
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]
SQL = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]
LATER, BEFORE = NOW + timedelta(hours=1), NOW - timedelta(days=1)


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PaymentStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryPayments()
        return
    stores = open_stores(request, request.param, tmp_path)
    assert isinstance(stores, SqlStores)
    yield SqlPayments(stores.database)
    await stores.close()


@pytest.fixture(params=SQL)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStores]:
    """Billing's tables, empty."""
    opened = open_stores(request, request.param, tmp_path)
    assert isinstance(opened, SqlStores)
    yield opened
    await opened.close()


async def test_a_payment_comes_back_as_it_was_with_its_history(store: PaymentStore) -> None:
    """Every field, the pending request among them; each change is a version and a line, unless there is nothing to say."""
    made = await store.add(payment(due=1234, problem="é", held_at=LATER))
    assert await store.payment("hold-1") == made
    asked = await store.save(request(made, Action.OPEN, LATER), "asks to open")
    assert await store.payment("hold-1") == asked
    assert asked.pending is not None and asked.pending.key == "cw-n1-1-open"
    quiet = await store.save(replace(asked, look_at=None), "")
    known = replace(quiet, pending=None, gateway_id="pi_1", state=PaymentState.OPENED, changed_at=LATER)
    await store.save(known, "open: opened")
    said = [(each.version, each.at, each.state.value, each.what) for each in await store.history("hold-1")]
    assert said == [(0, NOW, "new", "made"), (1, NOW, "new", "asks to open"), (3, LATER, "opened", "open: opened")]
    assert await store.at_gateway("pi_1") == replace(known, version=3)
    assert await store.at_gateway("pi_2") is None
    with pytest.raises(NotFound):
        await store.payment("hold-2")


async def test_a_change_of_an_old_version_is_refused(store: PaymentStore) -> None:
    """Two who read the same cannot both change it."""
    made = await store.add(payment())
    await store.save(replace(made, problem="first"), "first")
    with pytest.raises(Conflict, match="meanwhile"):
        await store.save(replace(made, problem="second"), "second")
    with pytest.raises(Conflict):
        await store.save(payment(payment_id="hold-9"), "never stored")
    assert (await store.payment("hold-1")).problem == "first"


@pytest.mark.parametrize("twin", [payment(), payment(payment_id="hold-2"), charge(payment_id="other")])
async def test_nothing_is_paid_by_two_payments(store: PaymentStore, twin: object) -> None:
    """The same id, the same token, the same statement."""
    await store.add(payment())
    await store.add(charge())
    with pytest.raises(Conflict):
        await store.add(twin)  # type: ignore[arg-type]  # a Payment


async def test_what_is_due_and_untold(store: PaymentStore) -> None:
    """By time; what waits for nothing never is."""
    for name, minutes in (("a", 2), ("b", 1), ("c", 90)):
        await store.add(payment(payment_id=name, token_key=name, look_at=NOW + timedelta(minutes=minutes), untold=name != "b"))
    await store.add(payment(payment_id="d", token_key="d", look_at=None))
    assert [each.payment_id for each in await store.due(LATER, 10)] == ["b", "a"]
    assert [each.payment_id for each in await store.due(LATER, 1)] == ["b"]
    assert [each.payment_id for each in await store.untold(10)] == ["a", "c"]
    assert [each.payment_id for each in await store.of_tokens(["a", "d", "x"])] == ["a", "d"]
    assert await store.of_statements(["s1"]) == []


async def test_pages_filters_and_the_summary(store: PaymentStore) -> None:
    """Newest first; the cursor of another listing is refused; what is owed is summed by currency."""
    for number in range(5):
        await store.add(payment(payment_id=f"h{number}", token_key=f"t{number}", created_at=NOW + timedelta(minutes=number % 2)))
    await store.add(replace(stop(charge(due=2000), "declined", NOW)))
    await store.save(request(await store.payment("h3"), Action.OPEN, LATER), "")
    first = await store.page(kind="hold", limit=2)
    rest = await store.page(kind="hold", limit=9, cursor=first.next_cursor)
    assert [each.payment_id for each in (*first.items, *rest.items)] == ["h3", "h1", "h4", "h2", "h0"]
    assert [each.payment_id for each in (await store.page(stuck=True)).items] == ["charge-s1"]
    assert len((await store.page(stuck=False, state="new")).items) == 5
    assert [each.payment_id for each in (await store.page(customer_id="anna")).items] == ["charge-s1"]
    with pytest.raises(Conflict):
        await store.page(cursor="abc")
    counted = await store.summary()
    assert (counted.states, counted.stuck) == ({("hold", "new"): 5, ("charge", "new"): 1}, 1)
    assert (counted.receivable, counted.oldest_request_at) == ({"EUR": 2000}, LATER)


async def test_methods_events_and_positions(store: PaymentStore) -> None:
    """A method is replaced and dropped; a call is taken in once, until it is forgotten; positions are kept by name."""
    assert await store.method("anna") is None
    await store.put_method(method())
    await store.put_method(method("pm_other"))
    assert await store.method("anna") == method("pm_other")
    await store.drop_method("anna")
    with pytest.raises(NotFound):
        await store.drop_method("anna")
    assert [await store.take_event("evt_1", NOW) for _ in range(2)] == [True, False]
    assert (await store.knows_event("evt_1"), await store.knows_event("evt_2")) == (True, False)
    await store.forget_events(NOW)
    assert await store.knows_event("evt_1")
    await store.forget_events(LATER)
    assert not await store.knows_event("evt_1")
    assert await store.position("payments: CDRs") == 0
    for position in (7, 9):
        await store.set_position("payments: CDRs", position)
    assert (await store.position("payments: CDRs"), await store.position("other")) == (9, 0)


# -- what is owed, by billing's own tables


def session(number: int, state: SessionState, **more: object) -> BilledSession:
    """With the token of the hold."""
    cdr_id = f"C{number:09d}" if state is SessionState.BILLED else None
    made = BilledSession(charge_point_id="CP-1", subject=str(number), state=state, token_key="t-x", cdr_id=cdr_id)
    return msgspec.structs.replace(made, **more)


async def owed(stores: SqlStores) -> Owed:
    """By the hold of the token."""
    hold = payment(token_key="t-x")
    return (await SqlBooks(stores.database).owed([hold]))["hold-1"]


async def test_what_a_session_comes_to_is_owed(stores: SqlStores) -> None:
    """Nothing is known while it runs; then its CDR's total with taxes, in cents, rounded once; nothing when it was dismissed."""
    ledger = SqlLedger(stores.database)
    assert await owed(stores) == Owed(waiting_for="no session was started")
    for state, why in ((SessionState.OPEN, "runs"), (SessionState.WAITING, "waits"), (SessionState.ISSUE, "cannot be priced")):
        await ledger.save(Change(sessions=(session(1, state),)))
        found = await owed(stores)
        assert (found.due, found.used) == (None, True) and why in found.waiting_for
    made = msgspec.structs.replace(cdr(1, "x", 10_003), customer_id=None)
    await ledger.save(Change(sessions=(session(1, SessionState.BILLED),), cdrs=(made,)))
    exact = made.total.after_taxes
    assert exact != exact.quantize(Decimal("0.01")), "the example is about rounding"
    assert (await owed(stores)).due == int((exact * 100).to_integral_value("ROUND_HALF_UP"))
    await ledger.save(Change(sessions=(session(2, SessionState.OPEN),)))
    assert (await owed(stores)).due is None, "a second session of the same token runs"
    await ledger.save(Change(sessions=(session(2, SessionState.DISMISSED), session(1, SessionState.DISMISSED))))
    assert (await owed(stores)).due == 0


async def test_what_a_customer_has_on_a_statement_is_not_paid_by_a_hold(stores: SqlStores) -> None:
    """Nobody pays twice; another currency cannot be collected."""
    ledger = SqlLedger(stores.database)
    await ledger.save(Change(sessions=(session(1, SessionState.BILLED),), cdrs=(cdr(1, "x", 10_000),)))
    assert (await owed(stores)).due == 0
    foreign = msgspec.structs.replace(cdr(2, "x", 10_000), customer_id=None, currency="NOK")
    await ledger.save(Change(sessions=(session(2, SessionState.BILLED),), cdrs=(foreign,)))
    assert (await owed(stores)).foreign


async def test_new_cdrs_and_credits_are_followed(stores: SqlStores) -> None:
    """Each token once, from a position on."""
    ledger, books = SqlLedger(stores.database), SqlBooks(stores.database)
    first = cdr(1, "x", 10_000)
    await ledger.save(Change(cdrs=(first, cdr(2, "y", 5_000))))
    reached, tokens = await books.changed_tokens(0, 100)
    assert sorted(tokens) == ["t-x", "t-y"]
    assert await books.changed_tokens(reached, 100) == (reached, [])
    await ledger.save(Change(cdrs=(credit_of(first, "X1", NOW),)))
    assert (await books.changed_tokens(reached, 100))[1] == ["t-x"]


async def test_a_token_that_is_known_is_not_fresh(stores: SqlStores) -> None:
    """Used by a session, or paid for by a contract."""
    books, customers = SqlBooks(stores.database), SqlCustomers(stores.database)
    assert await books.token_is_fresh("t-x")
    await SqlLedger(stores.database).save(Change(sessions=(session(1, SessionState.OPEN),)))
    assert not await books.token_is_fresh("t-x")
    await customers.put([Customer(customer_id="anna", party=Party(name="Anna"))])
    await customers.put_contracts([Contract(contract_id="k", customer_id="anna", first_day=date(2020, 1, 1))])
    await customers.put_tokens([ContractToken(token="AA", contract_id="k", valid_from=NOW)])
    assert not await books.token_is_fresh("aa")


def draft(name: str, payable: str) -> Statement:
    """Anna's, in euros."""
    zero, whole = Money(Decimal("0.00"), "EUR"), Money(Decimal(payable), "EUR")
    party = Party(name="P")
    return Statement(
        id=name, series="ST", currency="EUR", seller=party, customer=party, customer_id="anna", time_zone="Europe/Oslo",
        month=date(2026, 3, 1), first_day=date(2026, 3, 1), last_day=date(2026, 3, 31), created_at=NOW,
        totals=StatementTotals(net=whole, tax=zero, gross=whole, rounding=zero, payable=whole),
    )  # fmt: skip


async def test_final_statements_are_charged_until_they_are_credited(stores: SqlStores) -> None:
    """Only those that are issued after the method was saved, owe something, and have no charge yet; a credit note ends it."""
    statements, store, books = SqlStatements(stores.database), SqlPayments(stores.database), SqlBooks(stores.database)
    await statements.put_drafts(
        [draft("early", "5.00"), draft("s1", "20.00"), draft("zero", "0.00"), draft("minus", "-3.00")], [], date(2026, 3, 1)
    )
    await statements.finalize(["early"], NOW - timedelta(hours=1), [14])
    await statements.finalize(["s1", "zero", "minus"], LATER, [14, 14, 14])
    assert await books.chargeable(BEFORE, 10) == []
    await store.put_method(method())
    [found] = await books.chargeable(BEFORE, 10)
    assert (found.statement_id, found.number, found.payable, found.currency) == ("s1", "ST-000002", 2000, "EUR")
    assert await books.chargeable(LATER, 10) == []
    made = await store.add(charge())
    assert await books.chargeable(BEFORE, 10) == []
    assert (await books.owed([made]))["charge-s1"] == Owed(due=2000, used=True, method=method())
    note = await statements.credit("s1", "CN", LATER, "wrong")
    assert (await books.owed([made]))["charge-s1"].due == 0
    assert await books.credited((NOW, ""), 10) == [(LATER, note.id, "s1")]
    assert await books.credited((LATER, note.id), 10) == []
    missing = charge(statement_id="none", payment_id="x")
    assert (await books.owed([missing]))["x"].due is None
