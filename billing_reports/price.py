"""The price of a usage under a tariff: the truth that statements rest on. Decided here: which tariff prices which period, and
whether flat fee and minimum are owed.

    price(usage, tariff) -> PricedCdr
    Pricer(tariff, time_zone).tally(usage) -> Tally     what it comes to; its breakdown is made when one asks for it

`compiled` makes integers of the tariff, `metering` cuts and counts, `tally` sums, `breakdown` explains: docs/pricing.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from billing_reports.cdr import PricedCdr, Usage
from billing_reports.compiled import Compiled, TariffError
from billing_reports.metering import UsageError, count, meter
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.series import PriceMissing, PriceSeries
from billing_reports.tally import Limits, Tally, tally
from billing_reports.tariff import Tariff

__all__ = ["DEFAULT", "FLAGS", "PriceMissing", "Pricer", "PricingPolicy", "TariffError", "UsageError", "price", "zone_of"]

FLAGS = {
    "power_unknown": "the tariff has power bands, but the power of a charging period is not known: no band was used for it",
    "power_range": "the power of a charging period lies on both sides of a band's edge",
    "current_unknown": "the tariff has current bands, but the current of a charging period is not known: no band was used for it",
    "current_range": "the current of a charging period lies on both sides of a band's edge",
    "tax_unknown": "the price includes taxes, but the tariff does not say how much: before and after taxes are shown as equal",
    "rate_assumed": "a minimum price was charged on nothing, or on several VAT rates without its own figure after taxes",
}
NO_OTHERS: Mapping[str, Pricer] = {}


class Pricer:
    """One tariff at one place, ready to price many usages. Not for several threads at once."""

    def __init__(
        self, tariff: Tariff, time_zone: str, *, series: Mapping[str, PriceSeries] | None = None, policy: PricingPolicy = DEFAULT
    ) -> None:
        """Raises TariffError for a tariff that cannot be used, UsageError for a zone that is not known."""
        self.tariff, self.time_zone, self.policy = tariff, time_zone, policy
        self.compiled = Compiled(tariff, zone_of(time_zone), series or {})
        self.limits = Limits(tariff, policy)
        self._grace = 1000 * policy.idle_grace_s
        self._alone: Sequence[_Part] = ((self, None),)

    def price(self, usage: Usage) -> PricedCdr:
        """The whole breakdown. `usage.time_zone` must be that of the pricer. Raises UsageError, PriceMissing."""
        return self.tally(usage).priced

    def tally(self, usage: Usage, others: Mapping[str, Pricer] = NO_OTHERS) -> Tally:
        """What it comes to, in integers; the breakdown is made when it is asked for.

        A charging period whose `tariff_id` is a key of `others` is priced by that tariff (OCPI: one per period). A flat fee is
        charged once in all; steps are rounded once per tariff; limits are those of this tariff. Raises UsageError, PriceMissing.
        """
        if usage.time_zone != self.time_zone:
            raise UsageError("time_zone", f"is {usage.time_zone}, but the tariff was made ready for {self.time_zone}")
        policy, shares = self.policy, []
        flat = minimum = policy.flat_without_energy or usage.energy_wh > 0
        for pricer, only in self._shares(usage, others) if others else self._alone:
            metered = meter(pricer.compiled, usage, self._grace, only)
            counted = count(metered.slices, flat=flat)
            flat = flat and not counted.flat_charged
            minimum = minimum and metered.began is not None
            shares.append((pricer.compiled, metered, counted))
        return tally(usage, self.limits, shares, minimum=minimum)

    def _shares(self, usage: Usage, others: Mapping[str, Pricer]) -> Sequence[_Part]:
        """Which pricer prices the periods of which tariff ids, in the order of their first period; None: all of them."""
        named = dict.fromkeys(each.tariff_id for each in usage.periods)
        foreign = [name for name in named if name is not None and name in others]
        if not foreign:
            return self._alone
        own = frozenset(name for name in named if name not in foreign)
        order = dict.fromkeys(own if name in own else frozenset({name}) for name in named)
        return [(self if ids is own else others[next(str(each) for each in ids)], ids) for ids in order]


def price(
    usage: Usage,
    tariff: Tariff,
    *,
    series: Mapping[str, PriceSeries] | None = None,
    policy: PricingPolicy = DEFAULT,
    others: Sequence[Tariff] = (),
) -> PricedCdr:
    """What `usage` costs under `tariff`: breakdown per period and dimension, adjustments, totals, doubts.

    Pure, and remembers tariffs it has made ready. `others`: tariffs that single periods name by `tariff_id`.
    Raises TariffError, UsageError or PriceMissing; each says what is wrong and where.
    """
    zone = usage.time_zone
    if series:
        own = Pricer(tariff, zone, series=series, policy=policy)
        return own.tally(usage, {each.id: Pricer(each, zone, series=series, policy=policy) for each in others}).priced
    return _ready(tariff, zone, policy).tally(usage, {each.id: _ready(each, zone, policy) for each in others}).priced


_Part = tuple[Pricer, frozenset[str | None] | None]


@lru_cache(maxsize=256)
def _ready(tariff: Tariff, time_zone: str, policy: PricingPolicy) -> Pricer:
    return Pricer(tariff, time_zone, policy=policy)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name; UsageError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError("time_zone", f"{name!r} is no IANA time zone; write one such as Europe/Oslo") from None
