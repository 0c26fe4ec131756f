"""A month of CDRs in a database of its own, and a billing run as a process that can be killed.

python -m tests.support.billing_month URL PAGE [WORKERS]     works on the run of 2026-03 until it has ended
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from billing_reports.cdr import Cdr, ChargingPeriod, Usage
from billing_reports.customers import Contract, ContractToken, Customer
from billing_reports.house import House
from billing_reports.party import Party
from billing_reports.price import price
from billing_reports.runner import Runner
from billing_reports.runs import Run
from billing_reports.sessions import Change
from billing_reports.statement_store import BillingStores, StatementStore
from billing_reports.storage.opened import sql_billing
from billing_reports.storage.statements_sql import SqlStatements
from billing_reports.tariff import Dimension, PriceComponent, Tariff, TariffElement
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.storage.relational_engine import Database
from chargenet.stores import Sites
from chargenet.testing import FrozenClock

MONTH = date(2026, 3, 1)
NOW = datetime(2026, 4, 2, 3, tzinfo=UTC)
HOUSE = House(seller=Party(name="S", street="1", city="B", country="DE", vat_id="DE1"))
TARIFF = Tariff(
    id="t", currency="EUR", elements=(TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.4217"), Decimal(19)),)),)
)


def customers(count: int) -> list[Customer]:
    """In two time zones."""
    zones = ("Europe/Berlin", "Europe/Oslo")
    return [
        Customer(customer_id=f"c{index:06d}", party=Party(name=f"Customer {index}"), time_zone=zones[index % 2])
        for index in range(count)
    ]


def cdr(number: int, customer_id: str, energy_wh: int, tariff: Tariff = TARIFF) -> Cdr:
    """One session of an hour, somewhere in March 2026."""
    began_at = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(minutes=number * 7 % 40_000)
    ended_at = began_at + timedelta(hours=1)
    usage = Usage((ChargingPeriod(began_at, ended_at, energy_wh=energy_wh),), "Europe/Berlin")
    priced = price(usage, tariff)
    return Cdr(
        id=f"C{number:09d}", created_at=NOW, started_at=began_at, ended_at=ended_at, currency="EUR", total=priced.totals.cost,
        usage=usage, priced=priced, tariff=tariff, charge_point_id=f"CP-{number % 100}", connector="1", transaction_id=str(number),
        id_token=f"T-{customer_id}", customer_id=customer_id, contract_id=f"k-{customer_id}",
    )  # fmt: skip


async def fill(url: str, people: int, each: int) -> None:
    """Customers with a contract, a token and `each` CDRs."""
    migrate(url)
    stores = SqlStores(url)
    try:
        await fill_stores(sql_billing(stores.database), people, each)
    finally:
        await stores.close()


async def fill_stores(kept: BillingStores, people: int, each: int) -> None:
    """The same in stores that are open."""
    everybody, since = customers(people), datetime(2020, 1, 1, tzinfo=UTC)
    for start in range(0, people, 1000):
        part = everybody[start : start + 1000]
        await kept.customers.put(part)
        names = [customer.customer_id for customer in part]
        contracts = [Contract(contract_id=f"k-{name}", customer_id=name, first_day=date(2020, 1, 1)) for name in names]
        await kept.customers.put_contracts(contracts)
        tokens = [ContractToken(token=f"T-{name}", contract_id=f"k-{name}", valid_from=since) for name in names]
        await kept.customers.put_tokens(tokens)
        made = [
            cdr((start + index) * each + number + 1, name, 1000 + 37 * number + index)
            for index, name in enumerate(names)
            for number in range(each)
        ]
        await kept.ledger.save(Change(cdrs=tuple(made)))


def runner(kept: BillingStores, sites: Sites, *, page: int, workers: int = 1, database: Database | None = None) -> Runner:
    """Of the seller above."""
    house = House(seller=HOUSE.seller, workers=workers)
    return Runner(kept, sites, FrozenClock(NOW), house, database=database, page=page, several=1)


async def bill(url: str, page: int, *, workers: int = 1) -> Run:
    """The run of the month, from where it stands to its end; each page says so on standard output."""
    stores = SqlStores(url)
    try:
        kept = sql_billing(stores.database)
        made = runner(kept, stores.sites, page=page, workers=workers, database=stores.database)
        return await bill_stores(made)
    finally:
        await stores.close()


async def bill_stores(made: Runner) -> Run:
    """The same, by a runner."""
    run = await made.begin(MONTH, time_zone=None, finalize=True, unfinished_month=False, who="test")
    return await made.work(run, lambda each: print(each.done, flush=True))


async def outcome(url: str) -> tuple[list[tuple[str | None, str, str]], int]:
    """(number, statement, payable) of every statement in order of numbers, and the last number given."""
    stores = SqlStores(url)
    try:
        return await outcome_of(SqlStatements(stores.database))
    finally:
        await stores.close()


async def outcome_of(statements: StatementStore) -> tuple[list[tuple[str | None, str, str]], int]:
    """The same, of a store that is open."""
    rows = [await statements.statement(name) for name, _ in await statements.ids(month=MONTH, state="final")]
    found = sorted((each.number, each.id, str(each.totals.payable)) for each in rows)
    return list(found), await statements.last_ordinal("ST")


def main(arguments: Sequence[str]) -> None:
    """Work on the run."""
    url, page, *workers = arguments
    asyncio.run(bill(url, int(page), workers=int(workers[0]) if workers else 1))


if __name__ == "__main__":
    main(sys.argv[1:])
