"""What billing keeps: the same on SQLite and on PostgreSQL."""

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
from billing_reports.plans import Plan
from billing_reports.runs import Run, RunState
from billing_reports.series import hourly
from billing_reports.sessions import BilledSession, Change, SessionState
from billing_reports.storage.customers_sql import SqlCustomers
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.statements_sql import SqlStatements
from billing_reports.storage.tariffs_sql import SqlTariffs
from billing_reports.tariff_book import Assignment, Scope
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational import SqlStores
from tests.support.billing_month import MONTH, NOW, TARIFF, bill, cdr, customers, fill, outcome, runner
from tests.support.postgres import Postgres, postgres
from tests.support.stores import open_stores

__all__ = ["postgres"]
KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqlStores]:
    """Empty stores of each kind."""
    opened = open_stores(request, request.param, tmp_path)
    assert isinstance(opened, SqlStores)
    yield opened
    await opened.close()


def _session(number: int, state: SessionState = SessionState.BILLED, **fields: object) -> BilledSession:
    made = BilledSession(charge_point_id=f"CP-{number}", subject=str(number), state=state, cdr_id=f"C{number:09d}", token_key="t-c")
    return msgspec.structs.replace(made, **fields)


async def test_cdrs_issues_and_the_position_are_stored_together(stores: SqlStores) -> None:
    """All or nothing: a CDR that is there already keeps the position where it was, too."""
    ledger = SqlLedger(stores.database)
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


async def test_a_cdr_is_credited_once(stores: SqlStores) -> None:
    """The original knows its credit; a second credit is refused."""
    ledger = SqlLedger(stores.database)
    first = cdr(1, "c000000", 5_000)
    credit = credit_of(first, "X1", NOW)
    await ledger.save(Change(cdrs=(first,)))
    await ledger.save(Change(cdrs=(credit,)))
    assert (await ledger.row(first.id)).credited_by == "X1"
    assert (await ledger.row("X1")).before_taxes == -first.total.before_taxes
    with pytest.raises(Conflict, match="credited already"):
        await ledger.save(Change(cdrs=(credit_of(first, "X2", NOW),)))


async def test_cdrs_are_found_and_paged(stores: SqlStores) -> None:
    """By charge point, customer, time; newest end first; cursors of other listings are refused."""
    ledger = SqlLedger(stores.database)
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


async def test_sessions_by_state_time_and_token(stores: SqlStores) -> None:
    """What is due, what runs, what has which reason."""
    ledger = SqlLedger(stores.database)
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


async def test_versions_of_a_tariff(stores: SqlStores) -> None:
    """The first holds from ever, the next from when it was added; a removed one stays on record."""
    tariffs = SqlTariffs(stores.database)
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


async def test_price_series_grow_and_are_replaced(stores: SqlStores) -> None:
    """Intervals that overlap stored ones replace them; another currency is refused."""
    tariffs = SqlTariffs(stores.database)
    start = datetime(2026, 3, 29, tzinfo=UTC)
    await tariffs.put_series(hourly("spot", "EUR", start, [Decimal("0.1"), Decimal("-0.02"), Decimal("0.3")]))
    await tariffs.put_series(hourly("spot", "EUR", start + timedelta(hours=1), [Decimal("0.5")]))
    found = (await tariffs.series(["spot"], start, start + timedelta(hours=2)))["spot"]
    assert [each.price for each in found.intervals] == [Decimal("0.1"), Decimal("0.5")]
    assert (await tariffs.series_known())[0][2:] == (start, start + timedelta(hours=3), 3)
    with pytest.raises(Conflict, match="is in EUR"):
        await tariffs.put_series(hourly("spot", "NOK", start, [Decimal(1)]))


async def test_who_pays_for_a_token_and_when(stores: SqlStores) -> None:
    """A token that goes over to another contract belongs to the former one until then; case does not matter."""
    kept = SqlCustomers(stores.database)
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
    tariffs = SqlTariffs(stores.database)
    plan = Plan(id="gold", currency="EUR", monthly_fee=Decimal("9.90"))
    await tariffs.put_plan(plan)
    assert await tariffs.plans() == {"gold": plan}


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'billing.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


async def test_a_month_is_numbered_without_gaps(url: str) -> None:
    """Draft to final to credit note: numbers follow each other, a refused one takes none, a credited month is billed anew."""
    await fill(url, 3, 2)
    await bill(url, 2)
    found, last = await outcome(url)
    assert [number for number, _, _ in found] == ["ST-000001", "ST-000002", "ST-000003"]
    assert last == 3
    stores = SqlStores(url)
    try:
        statements = SqlStatements(stores.database)
        name = found[1][1]
        with pytest.raises(Conflict, match="is final already"):
            await statements.finalize([name], NOW, [14])
        note = await statements.credit("ST-000002", "CN", NOW, "wrong")
        assert (note.number, note.credits_number, (await statements.statement(name)).state) == (
            "CN-000001",
            "ST-000002",
            "credited",
        )
        with pytest.raises(Conflict, match="only a final one"):
            await statements.credit(name, "CN", NOW, "again")
        assert (await statements.last_ordinal("CN"), await statements.last_ordinal("ST")) == (1, 3)
        assert await statements.counts() == {"final": 2, "credited": 1, "credit_note": 1}
        page = await statements.page(month=MONTH, limit=2)
        assert len(page.items) == 2 and page.next_cursor is not None
    finally:
        await stores.close()
    await bill(url, 2)
    again, last = await outcome(url)
    assert [(number, statement) for number, statement, _ in again][-1] == ("ST-000004", f"{name}-2")
    assert last == 4


async def test_a_draft_whose_cdr_was_credited_is_not_issued(url: str) -> None:
    """Something happened since the draft was made: it has to be made anew, and no number is lost."""
    await fill(url, 1, 2)
    stores = SqlStores(url)
    try:
        made = runner(stores, page=5)
        run = await made.begin(MONTH, time_zone=None, finalize=False, unfinished_month=False, who="test")
        await made.work(run)
        statements, ledger = SqlStatements(stores.database), SqlLedger(stores.database)
        [(name, _)] = await statements.ids(month=MONTH, state="draft")
        first = await ledger.cdr((await statements.statement(name)).lines[0].cdr_id or "")
        await ledger.save(Change(cdrs=(credit_of(first, "X1", NOW),)))
        with pytest.raises(Conflict, match="run the month again"):
            await statements.finalize([name], NOW, [14])
        assert await statements.last_ordinal("ST") == 0
        run = await made.begin(MONTH, time_zone=None, finalize=False, unfinished_month=False, who="test")
        await made.work(run)
        [final] = await statements.finalize([name], NOW, [14])
        assert (final.number, len(final.lines)) == ("ST-000001", 1)
    finally:
        await stores.close()


async def test_runs_are_kept(stores: SqlStores) -> None:
    """Newest first, by state."""
    statements = SqlStatements(stores.database)
    run = Run(run_id="2026-03", month=date(2026, 3, 1), started_at=NOW)
    await statements.put_run(run)
    later = msgspec.structs.replace(run, run_id="2026-04", started_at=NOW + timedelta(days=30))
    await statements.put_run(later)
    await statements.put_run(msgspec.structs.replace(run, state=RunState.DONE))
    assert [each.run_id for each in await statements.runs()] == ["2026-04", "2026-03"]
    assert [each.run_id for each in await statements.runs(state=RunState.RUNNING)] == ["2026-04"]
    assert await statements.run("2020-01") is None
