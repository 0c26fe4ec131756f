"""Which sessions a comparison of tariffs leaves out, and that it says so; which CDRs it reads."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from billing_reports.cdr import ChargingPeriod, Price, Usage, credit_of
from billing_reports.compare import MOST_LISTED, Comparing, Comparison, LeftOut, Session, Why, percent
from billing_reports.plans import Plan
from billing_reports.policy import PricingPolicy
from billing_reports.price import TariffError
from billing_reports.repricing import Repricing
from billing_reports.series import PriceInterval, PriceSeries
from billing_reports.sessions import Change
from billing_reports.statement_store import BillingStores
from billing_reports.storage.opened import memory_billing
from billing_reports.tariff import Dimension, PriceComponent, Tariff, TariffElement
from chargenet.errors import Conflict, Unavailable
from tests.support.billing_month import MONTH, NOW, TARIFF, cdr, fill_stores

BEGAN = datetime(2026, 3, 2, 10, tzinfo=UTC)
DEARER = Tariff(
    id="dearer", currency="EUR", elements=(TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.5"), Decimal(19)),)),)
)
SPOT = Tariff(
    id="spot", currency="EUR", elements=(TariffElement((PriceComponent(Dimension.ENERGY, Decimal(0), None, series="no1"),)),)
)  # fmt: skip
PRICES = {"no1": PriceSeries("no1", "EUR", (PriceInterval(BEGAN, BEGAN + timedelta(hours=2), Decimal("0.25")),))}


def session(name: str, energy_wh: int = 10_000, *, hours: int = 0, currency: str = "EUR", home: bool = False) -> Session:
    """An hour that came to 4 before taxes."""
    start = BEGAN + timedelta(hours=hours)
    usage = Usage((ChargingPeriod(start, start + timedelta(hours=1), energy_wh=energy_wh),), "Europe/Berlin")
    return Session(
        cdr_id=name, site_id="harbour", ended_at=start + timedelta(hours=1), currency=currency,
        total=Price(Decimal(4), Decimal("4.76")), usage=usage, home=home,
    )  # fmt: skip


def compared(tariff: Tariff, *found: Session) -> Comparison:
    made = Comparing(tariff, "UTC", PRICES)
    made.add(found)
    return made.done()


def test_then_and_now() -> None:
    """10 kWh at 0.50 instead of 4.00."""
    found = compared(DEARER, session("A"), session("B"))
    assert (found.total.sessions, found.total.energy_wh) == (2, 20_000)
    assert found.total.now == Price(Decimal(10), Decimal("11.9"))
    assert found.total.difference == Price(Decimal(2), Decimal("2.38"))
    assert percent(found.total.then.before_taxes, found.total.now.before_taxes) == Decimal("25.0")
    assert percent(Decimal(0), Decimal(1)) is None
    assert (found.in_columns, dict(found.one_by_one)) == (2, {})


def test_what_is_left_out_is_counted_with_its_reason() -> None:
    """Other currencies are not converted, home charging is nobody's income; what they came to is told by currency."""
    found = compared(DEARER, session("A"), session("B", currency="NOK"), session("C", home=True))
    assert found.total.sessions == 1
    assert [(each.why, each.currency, each.sessions, each.then.before_taxes) for each in found.left_out] == [
        (Why.HOME, "EUR", 1, Decimal(4)), (Why.CURRENCY, "NOK", 1, Decimal(4)),
    ]  # fmt: skip
    assert found.listed[0] == LeftOut("B", Why.CURRENCY, "billed in NOK, the tariff is in EUR")


def test_one_by_one_where_columns_do_not_do() -> None:
    """Price series and energy that ran back go to the scalar engine, each with its reason; a gap in the prices is left out."""
    found = compared(SPOT, session("A"), session("B", hours=5))
    assert dict(found.one_by_one) == {"tariff spot follows a price series": 1}
    assert found.total.now.before_taxes == Decimal("2.5")
    [left] = found.listed
    assert (left.cdr_id, left.why) == ("B", Why.PRICE_MISSING) and "no1" in left.text
    back = compared(DEARER, session("A"), session("B", -1_000))
    assert (back.in_columns, dict(back.one_by_one)) == (1, {"a period that delivered energy back": 1})
    assert back.total.now.before_taxes == Decimal("4.5")


def test_the_list_is_bounded_and_the_count_is_not() -> None:
    """The first by id are listed, whatever the order they came in."""
    many = [session(f"C{number:05d}", home=True) for number in reversed(range(3 * MOST_LISTED))]
    found = compared(DEARER, *many)
    assert [each.cdr_id for each in found.listed] == [f"C{number:05d}" for number in range(MOST_LISTED)]
    assert found.left_out[0].sessions == 3 * MOST_LISTED


def test_a_tariff_that_cannot_be_used_is_refused_at_once() -> None:
    """A price series that is not there."""
    with pytest.raises(TariffError, match="no1"):
        Comparing(SPOT, "UTC")


@pytest.fixture
async def kept() -> BillingStores:
    """Twelve customers with two CDRs each, some of March in Berlin, all by 0.4217 a kWh."""
    stores = memory_billing()
    await fill_stores(stores, 12, 2)
    return stores


async def test_it_reads_what_is_in_force(kept: BillingStores) -> None:
    """In pages; a CDR that was taken back has no part and is counted."""
    taken = await kept.ledger.cdr("C000000001")
    await kept.ledger.save(Change(cdrs=(credit_of(taken, "X1", NOW),)))
    asked = Repricing(kept, page=5)
    found = await asked.compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "Europe/Berlin")
    assert (found.comparison.total.sessions, found.taken_back) == (23, 1)
    assert not any((found.comparison.total.difference.before_taxes, found.comparison.total.difference.after_taxes))
    assert [(each.site_id, each.month) for each in found.comparison.months] == [(None, MONTH)]
    nothing = await asked.compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "Europe/Berlin", "nowhere")
    assert nothing.comparison.total.sessions == 0


async def test_plans_grant_what_they_granted(kept: BillingStores) -> None:
    """Who charges for nothing today goes on to charge for nothing."""
    await kept.tariffs.put_plan(Plan(id="free", currency="EUR", policy=PricingPolicy(free_vend=True)))
    [contract] = (await kept.customers.contracts(["c000000"]))["c000000"]
    await kept.customers.put_contracts([replace(contract, plan_id="free")])
    found = await Repricing(kept).compare(DEARER, datetime(2026, 3, 1, tzinfo=UTC), NOW, "UTC")
    own = [await kept.ledger.cdr(f"C{number:09d}") for number in range(3, 25)]
    assert found.comparison.total.now.before_taxes == sum(Decimal(each.usage.energy_wh) for each in own) / 2000


async def test_it_is_bounded(kept: BillingStores) -> None:
    """In sessions, and to one comparison at a time."""
    with pytest.raises(Conflict, match="more than 10 sessions"):
        await Repricing(kept, most=10).compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "UTC")
    asked = Repricing(kept)
    first = asyncio.ensure_future(asked.compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "UTC"))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="another comparison"):
        await asked.compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "UTC")
    assert (await first).comparison.total.sessions == 24


async def test_a_zone_of_the_months(kept: BillingStores) -> None:
    """A session that ended late on the last of March in UTC belongs to April in Berlin."""
    late = replace(cdr(99, "c000000", 1_000), ended_at=datetime(2026, 3, 31, 23, 30, tzinfo=UTC))
    await kept.ledger.save(Change(cdrs=(late,)))
    found = await Repricing(kept).compare(TARIFF, datetime(2026, 3, 1, tzinfo=UTC), NOW, "Europe/Berlin")
    assert [each.month for each in found.comparison.months] == [MONTH, date(2026, 4, 1)]
