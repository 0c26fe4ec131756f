"""The vectorised engine is the scalar one on columns: equal, not close."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from billing_reports.cdr import Usage
from billing_reports.policy import PricingPolicy
from billing_reports.price import price
from billing_reports.tariff import Tariff
from billing_reports.vector import AT_ONCE, NotVectorisable, history_of, price_history
from tests.support.pricing import ZONES, tariffs, usages

policies = st.builds(
    PricingPolicy,
    flat_without_energy=st.booleans(),
    idle_grace_s=st.sampled_from([0, 0, 60, 1234, 86_400]),
    free_vend=st.integers(0, 9).map(lambda each: each == 0),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(usages(), min_size=1, max_size=6), tariffs(), st.sampled_from(ZONES), policies, st.sampled_from([1, 2, 5, AT_ONCE]))
def test_both_engines_are_equal(found: list[Usage], tariff: Tariff, zone: str, policy: PricingPolicy, at_once: int) -> None:
    """Each usage of a history costs what the scalar engine says, before and after taxes, and so does the history."""
    batch = [replace(each, time_zone=zone) for each in found]
    try:
        earned = price_history(history_of(batch), tariff, policy, at_once=at_once)
    except NotVectorisable as refused:
        assert "64 bits" in str(refused)
        reject()
    costs = [price(each, tariff, policy=policy).totals.cost for each in batch]
    assert [earned.price(index) for index in range(len(batch))] == costs
    exact = sum((each.before_taxes for each in costs), Decimal())
    assert abs(earned.total().before_taxes - exact) * 10**12 <= len(batch), "each usage was rounded to a pico once, the sum once"
