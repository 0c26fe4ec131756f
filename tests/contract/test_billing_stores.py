"""What billing keeps: the same in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from billing_reports.cdr import credit_of
from billing_reports.customers import Contract, ContractToken
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.meter_keys import KeyScope, MeterKey
from billing_reports.plans import Plan
from billing_reports.runs import Run, RunState
from billing_reports.series import hourly
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.statement_store import BillingStores
from billing_reports.storage.opened import memory_billing, sql_billing
from billing_reports.tariff_book import Assignment, Scope
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational import SqlStores
from chargenet.stores import Stores
from tests.support.billing_month import MONTH, NOW, TARIFF, bill_stores, cdr, customers, fill_stores, outcome_of, runner
from tests.support.postgres import postgres
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]


@pytest.fixture(params=KINDS)
async def opened(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[BillingStores, Stores]]:
    """Empty stores of each kind: billing's, and those of the platform."""
    made = open_stores(request, request.param, tmp_path)
    yield sql_billing(made.database) if isinstance(made, SqlStores) else memory_billing(), made
    await made.close()


@pytest.fixture
def stores(opened: tuple[BillingStores, Stores]) -> BillingStores:
    """Those of billing."""
    return opened[0]


def _session(number: int, state: SessionState = SessionState.BILLED, **fields: object) -> BilledSession:
    made = BilledSession(charge_point_id=f"CP-{number}", subject=str(number), state=state, cdr_id=f"C{number:09d}", token_key="t-c")
    return msgspec.structs.replace(made, **fields)


async def test_cdrs_issues_and_the_position_are_stored_together(stores: BillingStores) -> None:
    """All or nothing: a CDR that is there already keeps the position where it was, too."""
    ledger = stores.ledger
    first = cdr(1, "c000000", 5_000)
    await ledger.save(Change(cdrs=(first,), sessions=(_session(1),), position=(0, 7)))
    assert await ledger.position() == 7
    assert await ledger.cdr(first.id) == first
    row = await ledger.row(first.id)
    assert (row.before_taxes, row.energy_wh, row.statement_id) == (first.total.before_taxes, 5_000, None)
    with pytest.raises(Conflict, match="there already"):
        await ledger.save(Change(cdrs=(first,), position=(7, 9)))
    with pytest.raises(Conflict, match="position of billing is 7, not 3"):
        await ledger.save(Change(cdrs=(cdr(2, "c000000", 1),), position=(3, 9)))
    assert await ledger.position() == 7
    with pytest.raises(NotFound):
        await ledger.cdr("C000000002")


async def test_a_cdr_is_credited_once(stores: BillingStores) -> None:
    """The original knows its credit; a second credit is refused."""
    ledger = stores.ledger
    first = cdr(1, "c000000", 5_000)
    credit = credit_of(first, "X1", NOW)
    await ledger.save(Change(cdrs=(first,)))
    await ledger.save(Change(cdrs=(credit,)))
    assert (await ledger.row(first.id)).credited_by == "X1"
    assert (await ledger.row("X1")).before_taxes == -first.total.before_taxes
    with pytest.raises(Conflict, match="credited already"):
        await ledger.save(Change(cdrs=(credit_of(first, "X2", NOW),)))


async def test_cdrs_are_found_and_paged(stores: BillingStores) -> None:
    """By charge point, customer, time; newest end first; cursors of other listings are refused."""
    ledger = stores.ledger
    made = [cdr(number, f"c{number % 2:06d}", 1_000 + number) for number in range(1, 8)]
    await ledger.save(Change(cdrs=tuple(made)))
    page = await ledger.page(customer_id="c000001", limit=3)
    rest = await ledger.page(customer_id="c000001", limit=3, cursor=page.next_cursor)
    found = [*page.items, *rest.items]
    assert [row.id for row in found] == sorted((each.id for each in made if each.customer_id == "c000001"), reverse=True)
    assert [row.ended_at for row in found] == sorted((row.ended_at for row in found), reverse=True)
    middle = made[3].ended_at
    assert {row.id for row in (await ledger.page(since=middle)).items} == {each.id for each in made[3:]}
    assert [row.id for row in await ledger.made_after((await ledger.row(made[4].id)).ordinal)] == [made[5].id, made[6].id]
    with pytest.raises(Conflict):
        await ledger.page(cursor="abc")


async def test_sessions_by_state_time_and_token(stores: BillingStores) -> None:
    """What is due, what runs, what has which reason."""
    ledger = stores.ledger
    issue = BillingIssue(charge_point_id="CP-3", transaction_id="3", reason=IssueReason.TARIFF_MISSING, sentence="none")
    rows = (
        _session(1, SessionState.OPEN, cdr_id=None),
        _session(2, SessionState.WAITING, look_at=NOW),
        _session(3, SessionState.ISSUE, reason=IssueReason.TARIFF_MISSING, issue=issue, cdr_id=None),
        _session(4),
    )
    await ledger.save(Change(sessions=rows))
    assert await ledger.due(NOW - timedelta(seconds=1)) == []
    assert [each.subject for each in await ledger.due(NOW)] == ["2"]
    assert await ledger.open_keys(10) == [("CP-1", "1")]
    assert {each.subject for each in await ledger.active(["CP-1", "CP-2", "CP-4"])} == {"1", "2"}
    assert [each.subject for each in await ledger.of_reasons(["tariff_missing"])] == ["3"]
    assert (await ledger.issues(reason="tariff_missing")).items[0].issue == issue
    assert {each.subject for each in await ledger.of_tokens(["t-c"], ["open", "issue"])} == {"1", "3"}
    assert await ledger.counts() == ({"open": 1, "waiting": 1, "issue": 1, "billed": 1}, {"tariff_missing": 1})
    assert list(await ledger.sessions([("CP-4", "4"), ("CP-9", "9")])) == [("CP-4", "4")]


async def test_versions_of_a_tariff(stores: BillingStores) -> None:
    """The first holds from ever, the next from when it was added; a removed one stays on record."""
    tariffs = stores.tariffs
    first = await tariffs.add(TARIFF, NOW, None)
    second = await tariffs.add(msgspec.structs.replace(TARIFF, currency="NOK"), NOW + timedelta(days=1), None)
    assert (first.effective_from, second.version, second.effective_from) == (None, 2, NOW + timedelta(days=1))
    assignment = Assignment(tariff_id="t", scope=Scope.SITE, place="harbour")
    await tariffs.assign(assignment)
    assert await tariffs.assignments() == [assignment]
    with pytest.raises(NotFound):
        await tariffs.assign(msgspec.structs.replace(assignment, tariff_id="other"))
    await tariffs.unassign(assignment.key)
    with pytest.raises(NotFound):
        await tariffs.unassign(assignment.key)
    await tariffs.remove("t", NOW)
    assert [each.removed_at for each in await tariffs.versions()] == [NOW, NOW]


async def test_price_series_grow_and_are_replaced(stores: BillingStores) -> None:
    """Intervals that overlap stored ones replace them; another currency is refused."""
    tariffs = stores.tariffs
    start = datetime(2026, 3, 29, tzinfo=UTC)
    await tariffs.put_series(hourly("spot", "EUR", start, [Decimal("0.1"), Decimal("-0.02"), Decimal("0.3")]))
    await tariffs.put_series(hourly("spot", "EUR", start + timedelta(hours=1), [Decimal("0.5")]))
    found = (await tariffs.series(["spot"], start, start + timedelta(hours=2)))["spot"]
    assert [each.price for each in found.intervals] == [Decimal("0.1"), Decimal("0.5")]
    assert (await tariffs.series_known())[0][2:] == (start, start + timedelta(hours=3), 3)
    with pytest.raises(Conflict, match="is in EUR"):
        await tariffs.put_series(hourly("spot", "NOK", start, [Decimal(1)]))


async def test_who_pays_for_a_token_and_when(stores: BillingStores) -> None:
    """A token that goes over to another contract belongs to the former one until then; case does not matter."""
    kept = stores.customers
    await kept.put(customers(2))
    with pytest.raises(NotFound):
        await kept.put_contracts([Contract(contract_id="x", customer_id="nobody", first_day=MONTH)])
    pair = [Contract(contract_id=f"k{n}", customer_id=f"c00000{n}", first_day=MONTH) for n in range(2)]
    await kept.put_contracts(pair)
    with pytest.raises(Conflict, match="belongs to customer c000000"):
        await kept.put_contracts([msgspec.structs.replace(pair[0], customer_id="c000001")])
    await kept.put_tokens([ContractToken(token="AbC", contract_id="k0", valid_from=NOW)])
    await kept.put_tokens([ContractToken(token="ABC", contract_id="k1", valid_from=NOW + timedelta(days=5))])
    owners = [await kept.payer("abc", NOW + timedelta(days=days)) for days in (-1, 0, 4, 5, 99)]
    assert [None if each is None else each.contract.contract_id for each in owners] == [None, "k0", "k0", "k1", "k1"]
    assert (await kept.zones()) == {"Europe/Berlin": 1, "Europe/Oslo": 1}
    assert [each.customer_id for each in (await kept.page(search="customer 1")).items] == ["c000001"]
    tariffs = stores.tariffs
    plan = Plan(id="gold", currency="EUR", monthly_fee=Decimal("9.90"))
    await tariffs.put_plan(plan)
    assert await tariffs.plans() == {"gold": plan}


async def test_a_month_is_numbered_without_gaps(opened: tuple[BillingStores, Stores]) -> None:
    """Draft to final to credit note: numbers follow each other, a refused one takes none, a credited month is billed anew."""
    stores, platform = opened
    await fill_stores(stores, 3, 2)
    made = runner(stores, platform.sites, page=2)
    await bill_stores(made)
    found, last = await outcome_of(stores.statements)
    assert [number for number, _, _ in found] == ["ST-000001", "ST-000002", "ST-000003"]
    assert last == 3
    name = found[1][1]
    with pytest.raises(Conflict, match="is final already"):
        await stores.statements.finalize([name], NOW, [14])
    note = await stores.statements.credit("ST-000002", "CN", NOW, "wrong")
    state = (await stores.statements.statement(name)).state
    assert (note.number, note.credits_number, state) == ("CN-000001", "ST-000002", "credited")
    with pytest.raises(Conflict, match="only a final one"):
        await stores.statements.credit(name, "CN", NOW, "again")
    assert (await stores.statements.last_ordinal("CN"), await stores.statements.last_ordinal("ST")) == (1, 3)
    assert await stores.statements.counts() == {"final": 2, "credited": 1, "credit_note": 1}
    await bill_stores(made)
    again, last = await outcome_of(stores.statements)
    assert [(number, statement) for number, statement, _ in again][-1] == ("ST-000004", f"{name}-2")
    assert last == 4


async def test_statements_are_found_and_paged(opened: tuple[BillingStores, Stores]) -> None:
    """By month, state and customer, newest first, each once; cursors of other listings are refused."""
    stores, platform = opened
    await fill_stores(stores, 5, 1)
    await bill_stores(runner(stores, platform.sites, page=2))
    page = await stores.statements.page(month=MONTH, limit=2)
    found = list(page.items)
    while page.next_cursor is not None:
        page = await stores.statements.page(month=MONTH, limit=2, cursor=page.next_cursor)
        found += page.items
    assert [row.id for row in found] == sorted((row.id for row in found), reverse=True)
    assert len(found) == 5
    [one] = (await stores.statements.page(customer_id="c000003", state="final")).items
    assert (one.customer_name, one.lines, one.payable) == ("Customer 3", 1, str(Decimal(one.payable)))
    assert (await stores.statements.page(month=date(2026, 4, 1))).items == []
    assert await stores.statements.ids(month=MONTH, state="final", customer_ids=["c000003"]) == [(one.id, "c000003")]
    assert await stores.statements.of_month(["c000003"], MONTH) == {"c000003": [(one.id, "EUR", "final", one.created_at)]}
    with pytest.raises(Conflict):
        await stores.statements.page(cursor="abc")
    with pytest.raises(NotFound):
        await stores.statements.statement("ST-999999")


async def test_finalizing_is_all_or_nothing(opened: tuple[BillingStores, Stores]) -> None:
    """One of two that cannot be issued keeps the other a draft, its CDRs free and its number unused."""
    stores, platform = opened
    await fill_stores(stores, 2, 1)
    made = runner(stores, platform.sites, page=5)
    await made.work(await made.begin(MONTH, time_zone=None, finalize=False, unfinished_month=False, who="test"))
    names = [name for name, _ in await stores.statements.ids(month=MONTH, state="draft")]
    for refused in ([names[0], names[0]], [names[1], "nothing"]):
        with pytest.raises((Conflict, NotFound)):
            await stores.statements.finalize(refused, NOW, [14, 14])
    assert await stores.statements.counts() == {"draft": 2}
    assert await stores.statements.last_ordinal("ST") == 0
    assert len(await stores.ledger.unstated(["c000000", "c000001"], NOW)) == 2
    assert [each.number for each in await stores.statements.finalize(names, NOW, [14, 14])] == ["ST-000001", "ST-000002"]


async def test_a_draft_whose_cdr_was_credited_is_not_issued(opened: tuple[BillingStores, Stores]) -> None:
    """Something happened since the draft was made: it has to be made anew, and no number is lost."""
    stores, platform = opened
    await fill_stores(stores, 1, 2)
    made, statements = runner(stores, platform.sites, page=5), stores.statements
    run = await made.begin(MONTH, time_zone=None, finalize=False, unfinished_month=False, who="test")
    await made.work(run)
    [(name, _)] = await statements.ids(month=MONTH, state="draft")
    first = await stores.ledger.cdr((await statements.statement(name)).lines[0].cdr_id or "")
    await stores.ledger.save(Change(cdrs=(credit_of(first, "X1", NOW),)))
    with pytest.raises(Conflict, match="run the month again"):
        await statements.finalize([name], NOW, [14])
    assert await statements.last_ordinal("ST") == 0
    run = await made.begin(MONTH, time_zone=None, finalize=False, unfinished_month=False, who="test")
    await made.work(run)
    [final] = await statements.finalize([name], NOW, [14])
    assert (final.number, len(final.lines)) == ("ST-000001", 1)


async def test_cdrs_without_a_customer(stores: BillingStores) -> None:
    """By their token, whatever its case; not those that are credited, nor credits."""
    alone = [msgspec.structs.replace(cdr(number, "c", 1_000), customer_id=None, id_token="AbC") for number in (1, 2)]
    await stores.ledger.save(Change(cdrs=(*alone, cdr(3, "c000000", 1_000))))
    assert await stores.ledger.without_customer(["abc", "t-c000000"]) == [each.id for each in alone]
    assert [row.id for row in (await stores.ledger.page(unassigned=True)).items] == [alone[1].id, alone[0].id]
    await stores.ledger.save(Change(cdrs=(credit_of(alone[0], "X1", NOW),)))
    assert await stores.ledger.without_customer(["abc"]) == [alone[1].id]
    assert [row.id for row in (await stores.ledger.page(credit=True)).items] == ["X1"]
    assert set(await stores.ledger.cdrs([alone[0].id, "nothing"])) == {alone[0].id}
    assert await stores.ledger.usages([alone[0].id, "nothing"]) == {alone[0].id: alone[0].usage}


async def test_customers_in_order(stores: BillingStores) -> None:
    """By id, by time zone, in pages; when they were created is known of those that say so."""
    kept = stores.customers
    await kept.put([msgspec.structs.replace(each, created_at=NOW) for each in customers(5)])
    assert [each.customer_id for each in await kept.after("c000001", 2)] == ["c000002", "c000003"]
    assert [each.customer_id for each in await kept.in_zone("Europe/Oslo", "c000001")] == ["c000003"]
    page = await kept.page(limit=3)
    assert [each.customer_id for each in (await kept.page(limit=3, cursor=page.next_cursor)).items] == ["c000003", "c000004"]
    assert await kept.created(["c000002", "nobody"]) == {"c000002": NOW}
    with pytest.raises(NotFound):
        await kept.customer("nobody")
    with pytest.raises(NotFound):
        await kept.put_tokens([ContractToken(token="a", contract_id="nothing", valid_from=NOW)])


async def test_runs_are_kept(stores: BillingStores) -> None:
    """Newest first, by state."""
    statements = stores.statements
    run = Run(run_id="2026-03", month=date(2026, 3, 1), started_at=NOW)
    await statements.put_run(run)
    later = msgspec.structs.replace(run, run_id="2026-04", started_at=NOW + timedelta(days=30))
    await statements.put_run(later)
    await statements.put_run(msgspec.structs.replace(run, state=RunState.DONE))
    assert [each.run_id for each in await statements.runs()] == ["2026-04", "2026-03"]
    assert [each.run_id for each in await statements.runs(state=RunState.RUNNING)] == ["2026-04"]
    assert await statements.run("2020-01") is None


async def test_keys_of_meters(stores: BillingStores) -> None:
    """By scope, place and begin; the same place and begin is replaced; what is not there cannot be removed."""
    kept = stores.meter_keys
    first = MeterKey(scope=KeyScope.CONNECTOR, place="CP-1/1", public_key="aa", added_at=NOW, added_by="me")
    later = msgspec.structs.replace(first, valid_from=NOW, public_key="bb")
    serial = msgspec.structs.replace(first, scope=KeyScope.SERIAL, place="M1")
    for each in (serial, later, first):
        await kept.put(each)
    assert await kept.keys() == [first, later, serial]
    again = msgspec.structs.replace(first, public_key="cc", note="mended")
    await kept.put(again)
    assert await kept.keys() == [again, later, serial]
    assert await kept.remove(later.key_id) == later
    with pytest.raises(NotFound):
        await kept.remove(later.key_id)
    assert await kept.keys() == [again, serial]
