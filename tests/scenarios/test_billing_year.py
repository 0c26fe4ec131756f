"""A full year of real sessions: assembled, priced, billed month by month, and reconciled to the cent by arithmetic of its own.

The data is not part of the repository: public charging sessions of Perth & Kinross, read from beside it where they are.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from billing_reports.assemble import Assembled, assemble
from billing_reports.cdr import Cdr
from billing_reports.customers import Contract, Customer, Payer
from billing_reports.evidence import Evidence
from billing_reports.house import House
from billing_reports.party import Party
from billing_reports.rate import Terms, cdr_id, rate
from billing_reports.rollup_loop import RollupLoop
from billing_reports.rollup_metrics import RollupMetrics
from billing_reports.runner import Runner
from billing_reports.sessions import Change
from billing_reports.statement import LineKind
from billing_reports.storage.customers_sql import SqlCustomers
from billing_reports.storage.ledger_sql import SqlLedger
from billing_reports.storage.opened import sql_billing
from billing_reports.storage.rollup_sql import SqlRollups
from billing_reports.storage.statements_sql import SqlStatements
from billing_reports.tariff import Dimension, PriceComponent, Tariff, TariffElement
from billing_reports.tariff_book import Place
from chargenet.model.transaction import Transaction, TransactionState
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.testing import FrozenClock

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "sessions-perth.csv"
LONDON = ZoneInfo("Europe/London")
PRICE, VAT, CENT = Decimal("0.2873"), Decimal(20), Decimal("0.01")
NOW = datetime(2019, 1, 5, tzinfo=UTC)
TARIFF = Tariff(id="t", currency="GBP", elements=(TariffElement((PriceComponent(Dimension.ENERGY, PRICE, VAT),)),))
HOUSE = House(seller=Party(name="S", street="1", city="Perth", country="GB", vat_id="GB1"))


def _sessions() -> Iterator[tuple[str, datetime, datetime, int]]:
    """(site, begin, end, Wh) of sessions that ended in 2018, local time of London; rows without an end are left out."""
    with DATA.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["stopped_at"] and row["energy_kwh"]:
                began, ended = (_local(row[name]) for name in ("started_at", "stopped_at"))
                if ended.astimezone(LONDON).year == 2018 and ended >= began:
                    yield row["site"].strip(), began, ended, int(Decimal(row["energy_kwh"]) * 1000)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


def _customer(site: str, sites: dict[str, str]) -> str:
    return sites.setdefault(site, f"site-{len(sites):02d}")


def _cdr(number: int, customer_id: str, began: datetime, ended: datetime, energy_wh: int) -> Cdr | None:
    """Through the very steps of the program: a transaction with registers, assembled and priced."""
    register = number * 7
    row = Transaction(
        charge_point_id="CP", transaction_id=str(number), protocol="ocpp1.6", state=TransactionState.STOPPED, connector="1",
        began_at=began, ended_at=ended, start_register_wh=register, stop_register_wh=register + energy_wh, first_sequence=number,
        last_sequence=number,
    )  # fmt: skip
    used = assemble(row, Evidence(), "Europe/London")
    if not isinstance(used, Assembled):
        return None
    customer = Customer(customer_id=customer_id, party=Party(name=customer_id), time_zone="Europe/London")
    payer = Payer(customer, Contract(contract_id=customer_id, customer_id=customer_id, first_day=date(2016, 1, 1)))
    made = rate(row, used, Place("CP", "1", None), Terms(TARIFF), payer, {}, cdr_id=cdr_id(number, 1), now=NOW)
    assert isinstance(made, Cdr)
    return made


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.timeout(600)
# One story, so that each sum is compared with the one before it.
async def test_a_year_is_billed_to_the_cent(tmp_path: Path) -> None:
    """Sum of statements = sum of CDRs = sum of energy x price, per customer and month; what is not billed is counted."""
    sites: dict[str, str] = {}
    lines: dict[tuple[str, date], list[Decimal]] = defaultdict(list)
    cdrs, refused, energy = [], 0, 0
    for number, (site, began, ended, energy_wh) in enumerate(_sessions(), 1):
        customer_id = _customer(site, sites)
        made = _cdr(number, customer_id, began, ended, energy_wh)
        if made is None:
            refused += 1
            continue
        cdrs.append(made)
        energy += energy_wh
        local = ended.astimezone(LONDON)
        exact = Decimal(energy_wh) * PRICE / 1000
        assert made.total.before_taxes == exact
        lines[customer_id, date(local.year, local.month, 1)].append(exact.quantize(CENT, ROUND_HALF_UP))
    assert len(cdrs) > 10_000 and refused < len(cdrs) // 100
    url = f"sqlite:///{tmp_path / 'year.sqlite'}"
    migrate(url)
    stores = SqlStores(url)
    try:
        await _bill(stores, sites, cdrs)
        earned = await _earned(stores)
        statements = SqlStatements(stores.database)
        found = {}
        for month in range(1, 13):
            for name, customer_id in await statements.ids(month=date(2018, month, 1), state="final"):
                found[customer_id, date(2018, month, 1)] = await statements.statement(name)
    finally:
        await stores.close()
    assert earned == sum((each.total.before_taxes for each in cdrs), Decimal(0))
    assert found.keys() == lines.keys()
    for key, statement in found.items():
        net = sum(lines[key], Decimal(0))
        tax = (net * VAT / 100).quantize(CENT, ROUND_HALF_UP)
        totals = statement.totals
        assert (totals.net.amount, totals.tax.amount, totals.payable.amount) == (net, tax, net + tax), key
        assert sorted(line.net.amount for line in statement.lines) == sorted(lines[key])
        assert {line.kind for line in statement.lines} == {LineKind.SESSION}
    billed = sum(statement.energy_wh for statement in found.values())
    assert billed == energy == sum(each.usage.energy_wh for each in cdrs)
    numbers = sorted(statement.ordinal or 0 for statement in found.values())
    assert numbers == list(range(1, len(found) + 1))


async def _earned(stores: SqlStores) -> Decimal:
    """What the hours of all connectors earned in all the years."""
    ledger, rollups = SqlLedger(stores.database), SqlRollups(stores.database)
    await RollupLoop(rollups, FrozenClock(NOW), RollupMetrics(lambda: 0), lambda _: "", cdrs=ledger.made_after).look()
    rows = await rollups.rows(datetime(2000, 1, 1, tzinfo=UTC), NOW, limit=1_000_000)
    assert len(rows) > 1_000 and {currency for row in rows for currency in row.revenue} == {"GBP"}
    return sum((row.revenue["GBP"] for row in rows), Decimal(0))


async def _bill(stores: SqlStores, sites: dict[str, str], cdrs: list[Cdr]) -> None:
    kept, ledger = SqlCustomers(stores.database), SqlLedger(stores.database)
    await kept.put([Customer(customer_id=each, party=Party(name=name), time_zone="Europe/London") for name, each in sites.items()])
    for start in range(0, len(cdrs), 1_000):
        await ledger.save(Change(cdrs=tuple(cdrs[start : start + 1_000])))
    runner = Runner(sql_billing(stores.database), stores.sites, FrozenClock(NOW), HOUSE)
    for month in range(1, 13):
        first = date(2018, month, 1)
        run = await runner.begin(first, time_zone=None, finalize=True, unfinished_month=False, who="test")
        done = await runner.work(run)
        assert done.state == "done", msgspec.to_builtins(done)
