"""What a usage comes to, in integers. Decided here: the amount that is owed; `breakdown` shows how it came about.

Most uses of a price want the amount alone, and a breakdown is some forty objects. So a tally keeps what was metered and counted,
sums it, and makes the breakdown of the same items when somebody asks for it. The two must agree, and that is looked at each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from billing_reports.breakdown import Breakdown
from billing_reports.cdr import Price, PricedCdr, Usage
from billing_reports.compiled import Compiled
from billing_reports.metering import Counted, Metered
from billing_reports.money import PICO, from_pico, round_half_up, to_pico
from billing_reports.policy import PricingPolicy
from billing_reports.tariff import PriceLimit, Tariff

Share = tuple[Compiled, Metered, Counted]
"""What one tariff prices of a usage."""

_Clamp = tuple[Callable[[int, int], int], int, int, bool]


class Limits:
    """What may change the sum of the lines: a tariff's minimum and maximum, and what a policy grants."""

    __slots__ = ("_clamps", "any", "by_rate", "free", "policy", "tariff")

    def __init__(self, tariff: Tariff, policy: PricingPolicy) -> None:
        self.tariff, self.policy = tariff, policy
        self.free = policy.free_vend
        found: list[tuple[Callable[[int, int], int], PriceLimit | None, bool]] = [
            (max, tariff.min_price, True),
            (min, tariff.max_price, False),
        ]
        self.by_rate = policy.idle_cap is not None or any(limit and limit.after_taxes is None for _, limit, _ in found)
        """Whether the sum depends on the taxes of its parts, so that only the breakdown can tell."""
        self._clamps: Sequence[_Clamp] = [
            (clamp, to_pico(limit.before_taxes), to_pico(limit.after_taxes), minimum)
            for clamp, limit, minimum in found
            if limit is not None and limit.after_taxes is not None
        ]
        self.any = self.free or bool(self._clamps)

    def apply(self, net: int, gross: int, *, minimum: bool) -> tuple[int, int]:
        """The sums within their limits, each by its own figure (OCPI: both apply). Not for `by_rate`."""
        if self.free:
            return 0, 0
        for clamp, before, after, least in self._clamps:
            if minimum or not least:
                net, gross = clamp(net, before), clamp(gross, after)
        return net, gross


class Tally(msgspec.Struct, gc=False):
    """One usage, priced."""

    usage: Usage
    limits: Limits
    shares: Sequence[Share]
    minimum: bool
    """Whether the minimum price applies."""
    net: int
    """Before taxes, in pico (10^-12 currency); so is `gross`, after taxes."""
    gross: int
    _priced: PricedCdr | None = None

    @property
    def price(self) -> Price:
        """The same as decimals."""
        return Price(from_pico(self.net), from_pico(self.gross))

    @property
    def priced(self) -> PricedCdr:
        """The whole breakdown. ArithmeticError if it did not add up to the cost: nobody is shown such a bill."""
        if self._priced is None:
            made = _breakdown(self.limits, self.shares)
            self._priced = made.finish(self.usage, minimum=self.minimum)
            if made.cost != (self.net, self.gross):
                raise ArithmeticError(
                    f"a breakdown of {made.cost} for a price of {self.net}, {self.gross}: report it, bill nothing"
                )
        return self._priced


def tally(usage: Usage, limits: Limits, shares: Sequence[Share], *, minimum: bool) -> Tally:
    """Sums what the tariffs price of a usage, each rounded once to a pico, and applies the limits."""
    if limits.by_rate:
        made = _breakdown(limits, shares)
        priced = made.finish(usage, minimum=minimum)
        return Tally(usage, limits, shares, minimum, *made.cost, priced)
    net = gross = 0
    for compiled, _, counted in shares:
        net += round_half_up(counted.net * PICO, compiled.denominator)
        gross += round_half_up(counted.gross * PICO, compiled.denominator)
    if limits.any:
        net, gross = limits.apply(net, gross, minimum=minimum)
    return Tally(usage, limits, shares, minimum, net, gross)


def _breakdown(limits: Limits, shares: Sequence[Share]) -> Breakdown:
    made = Breakdown(limits.tariff, limits.policy)
    for compiled, metered, counted in shares:
        made.take(compiled, metered, counted.items)
    return made
