"""What a comparison of tariffs sums up is what the scalar engine says of each session."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from billing_reports.cdr import Price, Usage
from billing_reports.compare import Comparing, Session
from billing_reports.money import total
from billing_reports.policy import PricingPolicy
from billing_reports.price import price
from billing_reports.tariff import Tariff
from tests.support.pricing import ZONES, tariffs, usages

_policies = st.builds(PricingPolicy, flat_without_energy=st.booleans(), idle_grace_s=st.sampled_from([0, 0, 60, 86_400]))
_cents = st.integers(-500, 50_000).map(lambda each: Decimal(each).scaleb(-2))


@st.composite
def sessions(draw: st.DrawFn) -> list[Session]:
    """Of three sites and several zones; some deliver energy back, which columns cannot price."""
    found = []
    for number in range(draw(st.integers(0, 8))):
        usage: Usage = replace(draw(usages()), time_zone=draw(st.sampled_from(ZONES)))
        if draw(st.booleans()):
            first, *rest = usage.periods
            usage = replace(usage, periods=(replace(first, energy_wh=-first.energy_wh), *rest))
        then = draw(_cents)
        found.append(Session(
            cdr_id=f"C{number}", site_id=draw(st.sampled_from([None, "a", "b"])), currency="EUR",
            ended_at=datetime(2026, 1, 31, 20, tzinfo=UTC) + timedelta(hours=draw(st.integers(0, 10))),
            total=Price(then, then * 2), usage=usage, policy=draw(_policies),
        ))  # fmt: skip
    return found


@settings(max_examples=20, deadline=None)
@given(sessions(), tariffs(), st.sampled_from(ZONES), st.integers(1, 4))
def test_the_total_is_that_of_the_scalar_engine(found: list[Session], tariff: Tariff, zone: str, part: int) -> None:
    """To the last digit, over all and by site and month, in parts of any size; every session is in one of the two engines."""
    made = Comparing(tariff, zone)
    for start in range(0, len(found), part):
        made.add(found[start : start + part])
    comparison = made.done()
    assert not comparison.left_out
    assert comparison.in_columns + sum(comparison.one_by_one.values()) == comparison.total.sessions == len(found)
    costs = {each.cdr_id: price(each.usage, tariff, policy=each.policy).totals.cost for each in found}
    assert comparison.total.now == _sum(list(costs.values()))
    assert comparison.total.then == _sum([each.total for each in found])
    for row in comparison.months:
        own = [each for each in found if (each.site_id, _month(each.ended_at, zone)) == (row.site_id, row.month)]
        assert row.sums.now == _sum([costs[each.cdr_id] for each in own])
        assert row.sums.energy_wh == sum(each.usage.energy_wh for each in own)
    assert sum(row.sums.sessions for row in comparison.months) == len(found)


def _sum(prices: list[Price]) -> Price:
    return Price(total([each.before_taxes for each in prices]), total([each.after_taxes for each in prices]))


def _month(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date().replace(day=1)
