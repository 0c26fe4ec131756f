"""From billed volumes to a breakdown that adds up. Decided here: rounding of lines, limits, taxes by rate, totals.

Amounts are whole units of a compiled tariff on the way in and pico (10⁻¹² currency) from here on. Each line gets the difference of
two rounded running sums, so lines add up to the totals exactly and a total is never off by the roundings of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from billing_reports.cdr import (
    Adjustment,
    AdjustmentKind,
    PeriodKind,
    Price,
    PricedCdr,
    PricedLine,
    PricedPeriod,
    TaxAmount,
    Totals,
    Usage,
)
from billing_reports.compiled import Compiled, Component
from billing_reports.metering import Item, Metered, Slice
from billing_reports.money import PICO, allocate, decimal_text, from_pico, minor_units, round_half_up, to_pico
from billing_reports.policy import PricingPolicy
from billing_reports.split import from_ms, to_ms
from billing_reports.tariff import Dimension, PriceLimit, Tariff, TaxIncluded

_FIXED, _ENERGY, _TIME, _PARKING, _RESERVATION = range(5)
_BUCKETS = {
    PeriodKind.CHARGING: {Dimension.FLAT: _FIXED, Dimension.ENERGY: _ENERGY, Dimension.TIME: _TIME},
    PeriodKind.PARKING: {Dimension.FLAT: _PARKING, Dimension.ENERGY: _ENERGY, Dimension.PARKING_TIME: _PARKING},
    PeriodKind.RESERVATION: dict.fromkeys((Dimension.FLAT, Dimension.ENERGY, Dimension.TIME), _RESERVATION),
}
_ZERO, _ONE = Decimal(0), Decimal(1)
_NOTHING = Price(from_pico(0), from_pico(0))
TAX_NAME = "VAT"


class Sum(msgspec.Struct):
    """An amount in pico."""

    net: int = 0
    gross: int = 0

    def add(self, net: int, gross: int) -> None:
        """Adds both."""
        self.net += net
        self.gross += gross

    @property
    def price(self) -> Price:
        """As decimals."""
        return Price(from_pico(self.net), from_pico(self.gross)) if self.net or self.gross else _NOTHING


class Breakdown:
    """Collects the slices of one usage (tariff by tariff, if there were several), then makes the PricedCdr."""

    def __init__(self, tariff: Tariff, policy: PricingPolicy) -> None:
        self._tariff, self._policy = tariff, policy
        self._periods: list[PricedPeriod] = []
        self._buckets = [Sum() for _ in range(5)]
        self._rates: dict[Decimal | None, Sum] = {}
        self._idle: dict[Decimal | None, Sum] = {}
        self._adjustments: list[Adjustment] = []
        self._adjusted = Sum()
        self._flags: set[str] = set()

    def take(self, compiled: Compiled, metered: Metered, items: Sequence[Item]) -> None:
        """Adds what one tariff priced. `items` are in the order of the slices."""
        slices = metered.slices
        self._flags |= metered.flags
        lines: list[list[PricedLine]] = [[] for _ in slices]
        factor, denominator, decimals = PICO, compiled.denominator, compiled.as_decimal
        net_sum = gross_sum = net_before = gross_before = 0
        included = compiled.tariff.tax_included is TaxIncluded.YES
        for item in items:
            each, component = slices[item.slice], item.component
            amount = item.billed * item.price
            net_sum += amount * component.net
            gross_sum += amount * component.gross
            net_after, gross_after = round_half_up(net_sum * factor, denominator), round_half_up(gross_sum * factor, denominator)
            net, gross = net_after - net_before, gross_after - gross_before
            net_before, gross_before = net_after, gross_after
            price = component.source.price if component.series is None else decimals(item.price)
            lines[item.slice].append(_line(item, component, price, net, gross))
            self._count(_BUCKETS[each.kind][item.dimension], component.vat, net, gross)
            if included and component.vat is None:
                self._flags.add("tax_unknown")
        self._add_periods(compiled.tariff.id, slices, lines)

    def _add_periods(self, tariff_id: str, slices: Sequence[Slice], lines: Sequence[list[PricedLine]]) -> None:
        end, end_at = 0, from_ms(0)
        for each, found in zip(slices, lines, strict=True):
            _add_free(each, found)
            start_at = end_at if each.start == end else from_ms(each.start)
            end, end_at = each.end, from_ms(each.end)
            self._periods.append(PricedPeriod(start_at, end_at, each.kind, each.source, tariff_id, tuple(found)))

    def _count(self, bucket: int, vat: Decimal | None, net: int, gross: int) -> None:
        self._buckets[bucket].add(net, gross)
        _sum_of(self._rates, vat).add(net, gross)
        if bucket == _PARKING:
            _sum_of(self._idle, vat).add(net, gross)

    def finish(self, usage: Usage, *, minimum: bool) -> PricedCdr:
        """The CDR's price. `minimum`: whether the minimum price applies."""
        if self._policy.idle_cap is not None:
            self._limit(self._idle, AdjustmentKind.IDLE_CAP, self._policy.idle_cap)
        if minimum and self._tariff.min_price is not None:
            self._limit(self._rates, AdjustmentKind.MINIMUM, self._tariff.min_price)
        if self._tariff.max_price is not None:
            self._limit(self._rates, AdjustmentKind.MAXIMUM, self._tariff.max_price)
        if self._policy.free_vend:
            self._forgive()
        self._periods.sort(key=lambda each: (each.start_at, each.source))
        return PricedCdr(
            self._tariff.currency, self._tariff.id, usage.time_zone, tuple(self._periods), tuple(self._adjustments),
            self._totals(usage), tuple(sorted(self._flags)),
        )  # fmt: skip

    def _limit(self, rates: dict[Decimal | None, Sum], kind: AdjustmentKind, limit: PriceLimit) -> None:
        """Clamps the sums before and after taxes, each by its own figure; spreads the difference over the rates."""
        clamp = max if kind is AdjustmentKind.MINIMUM else min
        net, gross = sum(each.net for each in rates.values()), sum(each.gross for each in rates.values())
        more_net = clamp(net, to_pico(limit.before_taxes)) - net
        more_gross = 0 if limit.after_taxes is None else clamp(gross, to_pico(limit.after_taxes)) - gross
        if not more_net and not more_gross:
            return
        names = sorted(rates, key=lambda rate: (rate is None, rate or _ZERO)) or [self._assumed_rate()]
        nets = allocate(more_net, [abs(rates[each].net) if each in rates else 0 for each in names])
        if limit.after_taxes is not None:
            grosses = allocate(more_gross, [abs(rates[each].gross) if each in rates else 0 for each in names])
        else:
            grosses = [part + _tax(part, rate) for part, rate in zip(nets, names, strict=True)]
            if len(names) > 1 and kind is AdjustmentKind.MINIMUM:
                self._flags.add("rate_assumed")
        rule = limit_words(kind, limit, self._tariff.currency)
        for rate, part, whole in zip(names, nets, grosses, strict=True):
            self._adjust(kind, rate, part, whole, rule)

    def _assumed_rate(self) -> Decimal | None:
        """The VAT rate of a minimum price when nothing else was charged: the tariff's only one, or its highest."""
        found = {each.vat for element in self._tariff.elements for each in element.price_components}
        if len(found) > 1:
            self._flags.add("rate_assumed")
        return max((rate for rate in found if rate is not None), default=None)

    def _adjust(self, kind: AdjustmentKind, rate: Decimal | None, net: int, gross: int, rule: str) -> None:
        self._adjustments.append(Adjustment(kind, rate, from_pico(net), from_pico(gross), rule))
        self._adjusted.add(net, gross)
        _sum_of(self._rates, rate).add(net, gross)

    def _forgive(self) -> None:
        for rate, each in list(self._rates.items()):
            if each.net or each.gross:
                self._adjust(AdjustmentKind.FREE_VEND, rate, -each.net, -each.gross, "free vend: nothing is charged here")

    @property
    def cost(self) -> tuple[int, int]:
        """The sum of lines and adjustments, before and after taxes, in pico."""
        parts = (*self._buckets, self._adjusted)
        return sum(each.net for each in parts), sum(each.gross for each in parts)

    def _totals(self, usage: Usage) -> Totals:
        parts, cost = self._buckets, Sum(*self.cost)
        taxes = tuple(
            TaxAmount(TAX_NAME, rate, from_pico(each.net), from_pico(each.gross - each.net))
            for rate, each in sorted((rate, each) for rate, each in self._rates.items() if rate is not None)
        )
        energy, times = _measured(usage)
        parking = times[PeriodKind.PARKING]
        return Totals(
            cost=cost.price,
            fixed=parts[_FIXED].price,
            energy=parts[_ENERGY].price,
            time=parts[_TIME].price,
            parking=parts[_PARKING].price,
            reservation=parts[_RESERVATION].price,
            adjustments=self._adjusted.price,
            taxes=taxes,
            energy_wh=thousandths(energy),
            total_time_s=thousandths(times[PeriodKind.CHARGING] + parking),
            parking_time_s=thousandths(parking),
            reservation_time_s=thousandths(times[PeriodKind.RESERVATION]),
        )


def _sum_of(sums: dict[Decimal | None, Sum], rate: Decimal | None) -> Sum:
    found = sums.get(rate)
    if found is None:
        found = sums[rate] = Sum()
    return found


def _measured(usage: Usage) -> tuple[int, dict[PeriodKind, int]]:
    """mWh without reservations, and ms of each kind."""
    energy, times = 0, {PeriodKind.CHARGING: 0, PeriodKind.PARKING: 0, PeriodKind.RESERVATION: 0}
    end, end_at = 0, None
    for period in usage.periods:
        kind = period.kind
        if kind is not PeriodKind.RESERVATION:
            energy += 1000 * period.energy_wh + period.fraction_mwh
        start = end if period.start_at == end_at else to_ms(period.start_at)
        end_at = period.end_at
        end = to_ms(end_at)
        times[kind] += end - start
    return energy, times


def thousandths(value: int) -> Decimal:
    """mWh as Wh, ms as s, exactly."""
    whole, rest = divmod(value, 1000)
    return Decimal(value).scaleb(-3) if rest else Decimal(whole)


def limit_words(kind: AdjustmentKind, limit: PriceLimit, currency: str) -> str:
    """`minimum charge 0.50 EUR before, 0.55 EUR after taxes`."""
    name = {
        AdjustmentKind.MINIMUM: "minimum charge",
        AdjustmentKind.MAXIMUM: "price cap",
        AdjustmentKind.IDLE_CAP: "cap on parking",
    }[kind]
    words = f"{name} {decimal_text(limit.before_taxes, minor_units(currency))} {currency} before"
    if limit.after_taxes is None:
        return f"{words} taxes"
    return f"{words}, {decimal_text(limit.after_taxes, minor_units(currency))} {currency} after taxes"


def _tax(net: int, rate: Decimal | None) -> int:
    if rate is None:
        return 0
    numerator, denominator = rate.as_integer_ratio()
    return round_half_up(net * numerator, 100 * denominator)


def _add_free(each: Slice, lines: list[PricedLine]) -> None:
    """What was used and no element prices, in the order of the others: flat fee, energy, time."""
    choice = each.choice
    if each.energy and choice.energy is None:
        after_flat = 1 if lines and lines[0].dimension is Dimension.FLAT else 0
        lines.insert(after_flat, _free(Dimension.ENERGY, each.energy, graced=False))
    if each.time and choice.time is None:
        dimension = Dimension.PARKING_TIME if each.kind is PeriodKind.PARKING else Dimension.TIME
        lines.append(_free(dimension, each.time, graced=choice.graced))


def _free(dimension: Dimension, volume: int, *, graced: bool) -> PricedLine:
    rule = "free: idle grace" if graced else f"free: no element prices {dimension}"
    measured = thousandths(volume)
    return PricedLine(dimension, measured, measured, None, None, _ZERO, _ZERO, None, rule)


def _line(item: Item, component: Component, price: Decimal, net: int, gross: int) -> PricedLine:
    if item.dimension is Dimension.FLAT:
        measured = billed = _ONE
    else:
        measured = billed = thousandths(item.measured)
        if item.billed != item.measured:
            billed = thousandths(item.billed)
    return PricedLine(
        item.dimension, measured, billed, price, component.vat, from_pico(net), from_pico(gross), component.element,
        component.rule if measured is billed else component.rule_stepped,
    )  # fmt: skip
