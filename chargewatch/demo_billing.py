"""Billing in the demonstration: a seller, tariffs, customers with cards, and the statements of the day.

Decided here: an example worth showing. A day tariff with an idle fee, a dearer one for fast charging by time of day, a plan with
included energy; two customers in two languages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from billing_reports.customers import Contract, ContractToken, Customer
from billing_reports.desk import BillingDesk
from billing_reports.party import Party
from billing_reports.plans import Plan, month_of
from billing_reports.price import zone_of
from billing_reports.runs import Run, RunState
from billing_reports.statement import Statement, StatementState
from billing_reports.tariff import Dimension, PriceComponent, Restrictions, Tariff, TariffElement, TaxIncluded
from billing_reports.tariff_book import Assignment, Scope
from chargenet.errors import Conflict
from chargenet.ports import Clock

ZONE = "Europe/Berlin"
SETTINGS: dict[str, object] = {
    "billing.seller_name": "Stromhafen GmbH",
    "billing.seller_street": "Am Zollhafen 7",
    "billing.seller_postal_code": "55118",
    "billing.seller_city": "Mainz",
    "billing.seller_country": "DE",
    "billing.seller_vat_id": "DE123456788",
    "billing.seller_register": "HRB 12345, Amtsgericht Mainz",
    "billing.seller_email": "rechnung@stromhafen.example",
    "billing.seller_phone": "+49 6131 000000",
    "billing.seller_website": "stromhafen.example",
    "billing.seller_bank": "Volksbank Mainz",
    "billing.seller_iban": "DE02120300000000202051",
    "billing.seller_bic": "BYLADEM1001",
    "billing.time_zone": ZONE,
    "billing.plug_out_wait_s": 20.0,
    "billing.runs": "manual",
}
"""What the demonstration's settings say of the seller."""
SETTLED_S = 45.0
"""How long the day waits for its last transactions to be billed."""


def _tariff() -> Tariff:
    """Cheaper at night, and 6 an hour for a vehicle that is done and stays."""
    vat = Decimal(19)
    night = Restrictions(start_time="22:00", end_time="06:00")
    idle = PriceComponent(Dimension.PARKING_TIME, Decimal("6.00"), vat, 60)
    return Tariff(
        id="stromhafen-day", currency="EUR", tax_included=TaxIncluded.NO,
        elements=(
            TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.36"), vat), idle), night),
            TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.46"), vat), idle)),
        ),
    )  # fmt: skip


def _customers() -> list[Customer]:
    fleet = Party(
        name="Rheinkurier Logistik GmbH", street="Industriestraße 12", postal_code="55120", city="Mainz", country="DE",
        vat_id="DE987654321", email="buchhaltung@rheinkurier.example",
    )  # fmt: skip
    driver = Party(name="Anna Berg", street="Kaiserstraße 3", postal_code="55116", city="Mainz", country="DE")
    return [
        Customer(customer_id="rheinkurier", party=fleet, language="de", time_zone=ZONE, reference="Kostenstelle 4711"),
        Customer(customer_id="anna-berg", party=driver, language="en", time_zone=ZONE),
    ]


async def seed_billing(desk: BillingDesk, tokens: Sequence[str], now: datetime) -> None:
    """The tariff for the whole network, and who pays for which of these ID tokens: of ten the fleet for three, Anna for one."""
    await desk.add_tariff(_tariff(), assignments=[Assignment(tariff_id="stromhafen-day", scope=Scope.NETWORK)])
    plan = Plan(id="fleet-100", currency="EUR", monthly_fee=Decimal("49.00"), vat=Decimal(19), included_wh=100_000, pro_rata=False)
    await desk.put_plan(plan)
    await desk.put_customers(_customers())
    first_day = month_of(now, zone_of(ZONE))
    await desk.put_contracts(
        [
            Contract(contract_id="rheinkurier-1", customer_id="rheinkurier", first_day=first_day, plan_id=plan.id),
            Contract(contract_id="anna-berg-1", customer_id="anna-berg", first_day=first_day),
        ]
    )
    since = datetime(first_day.year, first_day.month, 1, tzinfo=UTC)
    rows = [
        ContractToken(token=each, contract_id="anna-berg-1" if index % 10 == 3 else "rheinkurier-1", valid_from=since)
        for index, each in enumerate(tokens)
        if index % 10 < 4
    ]
    if rows:
        await desk.put_tokens(rows)


async def bill_the_day(desk: BillingDesk, clock: Clock) -> list[Statement]:
    """Statements of the present month, issued, with their CDRs: the longest first. Empty where nobody charged.

    Raises Conflict where the run could not be finished.
    """
    month = month_of(clock.now(), zone_of(ZONE))
    await _settled(desk, clock)
    run = await desk.run(month, finalize=True, unfinished_month=True, who="the demonstration")
    while run.state is RunState.RUNNING:
        await asyncio.sleep(0.2)
        run = await _again(desk, run)
    if run.state is RunState.FAILED:
        raise Conflict(f"the statements of the day could not be made: {run.problem}")
    names = await desk.statements.ids(month=month, state=StatementState.FINAL.value)
    found = [await desk.statement(name) for name, _ in names]
    return sorted(found, key=lambda each: -len(each.lines))


async def _again(desk: BillingDesk, run: Run) -> Run:
    return await desk.statements.run(run.run_id) or run


async def _settled(desk: BillingDesk, clock: Clock) -> None:
    """Until nothing that has ended waits to be billed, or for as long as one would wait for it."""
    until = clock.monotonic() + SETTLED_S
    while clock.monotonic() < until:
        states, _ = await desk.ledger.counts()
        if not states.get("waiting") and states.get("billed"):
            return
        await asyncio.sleep(0.5)
