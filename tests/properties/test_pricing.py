"""Pricing under hypothesis: equal to a reference in fractions, and the invariants that make a bill hard to dispute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from billing_reports.cdr import Adjustment, Cdr, ChargingPeriod, PricedLine, Usage, credit_of
from billing_reports.metering import meter
from billing_reports.money import PICO, allocate, decimal_text, from_pico, round_half_up, to_pico, total
from billing_reports.policy import PricingPolicy
from billing_reports.price import Pricer, price
from billing_reports.split import energy_at, to_ms
from billing_reports.tariff import Dimension, PriceComponent, PriceLimit, Restrictions, Tariff, TariffElement
from tests.support.pricing import MINUTE, reference, tariffs, usages

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def pico(amount: Fraction) -> int:
    return round_half_up(amount.numerator * PICO, amount.denominator)


@settings(max_examples=120, deadline=None)
@given(usages(), tariffs())
def test_the_engine_is_exact(usage: Usage, tariff: Tariff) -> None:
    """Before and after taxes it agrees, to the 12th decimal, with a reference that walks minute by minute in fractions."""
    cost = price(usage, tariff).totals.cost
    assert (to_pico(cost.before_taxes), to_pico(cost.after_taxes)) == tuple(map(pico, reference(usage, tariff)))


@settings(max_examples=50, deadline=None)
@given(usages(), tariffs())
def test_a_breakdown_adds_up(usage: Usage, tariff: Tariff) -> None:
    """Lines and adjustments sum to the total, parts too; taxes explain the difference; measured energy is the register's."""
    priced = price(usage, tariff)
    lines = [line for period in priced.periods for line in period.lines]
    charged: list[PricedLine | Adjustment] = [*lines, *priced.adjustments]
    totals = priced.totals
    parts = (totals.fixed, totals.energy, totals.time, totals.parking, totals.reservation, totals.adjustments)
    for name in ("before_taxes", "after_taxes"):
        cost = getattr(totals.cost, name)
        assert total(getattr(each, name) for each in charged) == cost
        assert total(getattr(each, name) for each in parts) == cost
    untaxed = [each for each in charged if each.vat is None]
    assert total(each.amount for each in totals.taxes) == totals.cost.taxes - total(
        each.after_taxes - each.before_taxes for each in untaxed
    )
    assert sum(each.measured for each in lines if each.dimension is Dimension.ENERGY) == usage.energy_wh
    flats = [
        line
        for period in priced.periods
        if period.kind != "RESERVATION"
        for line in period.lines
        if line.dimension is Dimension.FLAT
    ]
    assert len(flats) <= 1


@settings(max_examples=50, deadline=None)
@given(usages(), tariffs(), st.data())
def test_a_period_cut_anywhere_costs_the_same(usage: Usage, tariff: Tariff, data: st.DataObject) -> None:
    """Another sample in the middle of constant power changes no price."""
    index = data.draw(st.integers(0, len(usage.periods) - 1))
    period = usage.periods[index]
    minutes = (period.end_at - period.start_at) // MINUTE
    cut = data.draw(st.integers(0, minutes))
    first = energy_at(1000 * period.energy_wh, cut, minutes) // 1000
    middle = period.start_at + cut * MINUTE
    halves = (replace(period, end_at=middle, energy_wh=first), replace(period, start_at=middle, energy_wh=period.energy_wh - first))
    parts = tuple(each for each in halves if each.start_at < each.end_at)
    other = replace(usage, periods=(*usage.periods[:index], *parts, *usage.periods[index + 1 :]))
    assert price(other, tariff).totals == price(usage, tariff).totals


@settings(max_examples=50, deadline=None)
@given(usages(), tariffs())
def test_a_price_keeps_its_limits(usage: Usage, tariff: Tariff) -> None:
    """A maximum is never passed, and a minimum only by a maximum below it."""
    cost = price(usage, tariff).totals.cost
    if tariff.max_price is not None:
        assert cost.before_taxes <= tariff.max_price.before_taxes
        assert cost.after_taxes <= (tariff.max_price.after_taxes or 0)
    charged = any(each.kind != "RESERVATION" for each in usage.periods)
    if tariff.min_price is not None and charged:
        assert cost.before_taxes >= tariff.min_price.before_taxes
        assert cost.after_taxes >= (tariff.min_price.after_taxes or 0)


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 10_000), st.sampled_from([0, 1, 25, 500]))
def test_more_energy_never_costs_less(first: int, more: int, price_e4: int, step: int) -> None:
    """With prices that are not negative, cost grows with energy."""
    component = PriceComponent(Dimension.ENERGY, Decimal(price_e4).scaleb(-4), Decimal(19), step)
    tariff = Tariff(id="T", currency="EUR", elements=(TariffElement((component,)),))

    def cost(wh: int) -> Decimal:
        return price(Usage((ChargingPeriod(NOW, NOW + timedelta(hours=1), energy_wh=wh),)), tariff).totals.cost.after_taxes

    assert cost(first) <= cost(first + more)


@settings(max_examples=50, deadline=None)
@given(st.integers(-50_000_000, 50_000_000), st.integers(1, 100_000_000), st.integers(0, 500), tariffs())
def test_parts_sum_to_the_register_difference(energy: int, duration_ms: int, minute: int, tariff: Tariff) -> None:
    """However a period of any length and energy is cut, mWh and ms of the parts sum to those of the whole."""
    start = datetime(2026, 10, 24, 12, tzinfo=UTC) + minute * MINUTE
    period = ChargingPeriod(
        start, start + timedelta(milliseconds=duration_ms), energy_wh=energy // 1000, fraction_mwh=energy % 1000
    )
    metered = meter(Pricer(tariff, "Europe/Berlin").compiled, Usage((period,), "Europe/Berlin"))
    assert sum(each.energy for each in metered.slices) == energy
    assert sum(each.time for each in metered.slices) == duration_ms
    assert metered.slices[0].start == to_ms(start) and metered.slices[-1].end == to_ms(period.end_at)
    assert all(each.end == following.start for each, following in zip(metered.slices, metered.slices[1:], strict=False))
    assert all(each.energy * energy >= 0 for each in metered.slices)


@settings(max_examples=30, deadline=None)
@given(
    usages(),
    tariffs(),
    st.sampled_from([None, PriceLimit(Decimal("0.5")), PriceLimit(Decimal("0.5"), Decimal("0.6"))]),
    st.booleans(),
)
def test_a_tally_is_what_its_breakdown_comes_to(usage: Usage, tariff: Tariff, cap: PriceLimit | None, known: bool) -> None:
    """The amount that is summed without a breakdown is its total, also where a limit has no figure after taxes."""
    if not known and tariff.min_price is not None:
        tariff = replace(tariff, min_price=PriceLimit(tariff.min_price.before_taxes))
    tally = Pricer(tariff, usage.time_zone, policy=PricingPolicy(idle_cap=cap)).tally(usage)
    assert tally.price == tally.priced.totals.cost


def test_energy_of_an_instant_is_parted_at_a_threshold() -> None:
    """A period without length may pass a threshold: what lies below it and what lies above have their own prices."""
    low = TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.10")),), Restrictions(max_kwh=Decimal(1)))
    high = TariffElement((PriceComponent(Dimension.ENERGY, Decimal("1.00")),))
    tariff = Tariff(id="T", currency="EUR", elements=(low, high))
    found = price(Usage((ChargingPeriod(NOW, NOW, energy_wh=3000),)), tariff)
    assert found.totals.cost.before_taxes == Decimal("2.10")


@settings(max_examples=30, deadline=None)
@given(usages(), tariffs())
def test_original_and_credit_are_nothing(usage: Usage, tariff: Tariff) -> None:
    """A credit CDR takes back exactly what was charged, and survives being stored."""
    priced = price(usage, tariff)
    cdr = Cdr(
        id="C-1", created_at=NOW, started_at=usage.periods[0].start_at, ended_at=usage.periods[-1].end_at,
        currency="EUR", total=priced.totals.cost, usage=usage, priced=priced, tariff=tariff,
    )  # fmt: skip
    credit = credit_of(cdr, "C-1-credit", NOW)
    assert total([cdr.total.before_taxes, credit.total.before_taxes]) == 0
    assert total([cdr.total.after_taxes, credit.total.after_taxes]) == 0
    assert credit.priced == cdr.priced and credit.credit_reference_id == "C-1"
    assert msgspec.json.decode(msgspec.json.encode(cdr), type=Cdr) == cdr


@given(st.integers(-(10**18), 10**18), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_allocation_loses_nothing(whole: int, weights: list[int]) -> None:
    """Parts sum to the whole, and each is within one of its exact share."""
    parts = allocate(whole, weights)
    assert sum(parts) == whole
    if sum(weights):
        assert all(abs(part * sum(weights) - whole * weight) <= sum(weights) for part, weight in zip(parts, weights, strict=True))


@given(st.integers(-(10**24), 10**24))
def test_amounts_keep_every_digit(amount: int) -> None:
    """Pico, decimal and text carry the same number."""
    assert to_pico(from_pico(amount)) == amount
    assert Decimal(decimal_text(from_pico(amount))) == from_pico(amount)
