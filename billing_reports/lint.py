"""Doubts about a tariff. Decided here: what an operator should hear before drivers do; nothing here changes a price.

Each doubt says where, what happens, and what to do. Times are in `lint_clock`, what needs all states together in `lint_states`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing_reports.compiled import decimals
from billing_reports.doubt import Doubt, Level
from billing_reports.lint_clock import clock_doubts
from billing_reports.lint_states import state_doubts
from billing_reports.tariff import Dimension, PriceLimit, Restrictions, Tariff, TaxIncluded

_OCPI_DECIMALS = 4
_LONG_STEP_S = 300
_ORDER = {level: index for index, level in enumerate(Level)}
_BOUNDS = ("kwh", "current", "power", "duration")
_TIMED = (Dimension.TIME, Dimension.PARKING_TIME)


def lint(tariff: Tariff, at: datetime, zone: ZoneInfo | None = None) -> list[Doubt]:
    """All doubts, worst first, then in the order of the tariff. `at` is now; `zone` that of the sites, for clock changes."""
    found = [
        *_elements(tariff),
        *_steps(tariff),
        *_taxes(tariff),
        *_limits(tariff),
        *_validity(tariff, at),
        *clock_doubts(tariff, zone, at),
        *state_doubts(tariff, at),
    ]
    return sorted(found, key=lambda each: _ORDER[each.level])


def _elements(tariff: Tariff) -> Iterator[Doubt]:
    for n, element in enumerate(tariff.elements):
        where = f"elements[{n}]"
        counted = Counter(each.type for each in element.price_components)
        for dimension, times in counted.items():
            if times > 1:
                text = f"prices {dimension} {times} times; only the first counts; remove the others"
                yield Doubt(Level.ERROR, f"{where}.price_components", "dimension_twice", text)
            if element.restrictions.reservation and dimension not in (Dimension.TIME, Dimension.FLAT):
                text = (
                    f"{dimension} in an element for reservations never applies: only FLAT and TIME do; move it to another element"
                )
                yield Doubt(Level.ERROR, f"{where}.price_components", "reservation_dimension", text)
        yield from _bounds(f"{where}.restrictions", element.restrictions)
        for m, each in enumerate(element.price_components):
            yield from _price(f"{where}.price_components[{m}].price", each.price)
    flats = {
        each.price for element in tariff.elements if not element.restrictions.reservation
        for each in element.price_components if each.type is Dimension.FLAT
    }  # fmt: skip
    if len(flats) > 1:
        text = "there are different FLAT fees: a transaction pays one of them, the first that becomes active"
        yield Doubt(Level.NOTE, "elements", "several_flats", text)


def _bounds(where: str, each: Restrictions) -> Iterator[Doubt]:
    for name in _BOUNDS:
        least, most = getattr(each, f"min_{name}"), getattr(each, f"max_{name}")
        if least is not None and most is not None and least >= most:
            text = f"max_{name} {most} is exclusive and not above min_{name} {least}: the element never applies"
            yield Doubt(Level.ERROR, f"{where}.max_{name}", "never", text)


def _price(where: str, price: Decimal) -> Iterator[Doubt]:
    if price < 0:
        yield Doubt(Level.NOTE, where, "negative_price", f"is {price}: drivers are paid; it is charged as it stands")
    if decimals(price) > _OCPI_DECIMALS:
        text = f"has {decimals(price)} decimals; OCPI has {_OCPI_DECIMALS}, so partners see another price than drivers pay"
        yield Doubt(Level.WARNING, where, "decimals", text)


def _steps(tariff: Tariff) -> Iterator[Doubt]:
    steps: dict[Dimension, set[int]] = {}
    for n, element in enumerate(tariff.elements):
        for m, each in enumerate(element.price_components):
            where = f"elements[{n}].price_components[{m}].step_size"
            if each.type is Dimension.FLAT:
                continue
            if not element.restrictions.reservation:
                steps.setdefault(each.type, set()).add(max(1, each.step_size))
            if each.step_size == 0:
                yield Doubt(Level.NOTE, where, "step_zero", "is 0 and counts as 1; write 1")
            if (each.type is Dimension.ENERGY and each.step_size > 1) or each.step_size > _LONG_STEP_S:
                unit = "Wh" if each.type is Dimension.ENERGY else "s"
                text = f"bills up to {each.step_size - 1} {unit} that were not used, which drivers dispute; 1 avoids that"
                yield Doubt(Level.NOTE, where, "large_step", text)
    for dimension, found in steps.items():
        if len(found) > 1:
            sizes = ", ".join(map(str, sorted(found)))
            text = f"{dimension} has steps of {sizes}: only that of the element billed last is used, for the whole total"
            yield Doubt(Level.WARNING, "elements", "steps_differ", text)
    if all(max(steps.get(each, {0})) > 1 for each in _TIMED):
        text = "TIME and PARKING_TIME both have steps: only the one billed last is rounded, the other is billed to the second"
        yield Doubt(Level.NOTE, "elements", "steps_of_both_times", text)


def _taxes(tariff: Tariff) -> Iterator[Doubt]:
    rates = [each.vat for element in tariff.elements for each in element.price_components]
    if tariff.tax_included is TaxIncluded.YES and None in rates:
        text = "is YES, but a price has no vat: what it is before taxes cannot be told; give each price its vat"
        yield Doubt(Level.ERROR, "tax_included", "tax_unknown", text)
    elif tariff.tax_included is TaxIncluded.NOT_APPLICABLE and any(rates):
        yield Doubt(
            Level.WARNING, "tax_included", "tax_ignored", "is N/A, so the vat of its prices is not charged; remove it or write NO"
        )
    elif None in rates and any(each is not None for each in rates):
        text = (
            "some prices have a vat and some have none, which means that no VAT applies to them; write 0 if a rate of zero is meant"
        )
        yield Doubt(Level.NOTE, "elements", "vat_missing", text)


def _limits(tariff: Tariff) -> Iterator[Doubt]:
    least, most = tariff.min_price, tariff.max_price
    if least and most and least.before_taxes > most.before_taxes:
        text = f"{most.before_taxes} is below min_price {least.before_taxes}: every transaction costs the maximum"
        yield Doubt(Level.ERROR, "max_price", "limits_crossed", text)
    for name, limit in (("min_price", least), ("max_price", most)):
        if limit is not None:
            yield from _limit(tariff, name, limit)


def _limit(tariff: Tariff, name: str, limit: PriceLimit) -> Iterator[Doubt]:
    rates = {each.vat or Decimal(0) for element in tariff.elements for each in element.price_components}
    if tariff.tax_included is TaxIncluded.NOT_APPLICABLE:
        rates = {Decimal(0)}
    if limit.after_taxes is None:
        if any(rates):
            text = "has no figure after taxes: it is worked out from the taxes of what was charged"
            yield Doubt(Level.NOTE, f"{name}.after_taxes", "limit_without_taxes", text)
        return
    if not limit.before_taxes:
        return
    low, high = (limit.before_taxes * (100 + rate) / 100 for rate in (min(rates), max(rates)))
    if not low <= limit.after_taxes <= high:
        text = (
            f"{limit.after_taxes} does not fit {limit.before_taxes} before taxes with any VAT of the prices ({low:f} to {high:f})"
        )
        yield Doubt(Level.WARNING, f"{name}.after_taxes", "limit_taxes", text)


def _validity(tariff: Tariff, at: datetime) -> Iterator[Doubt]:
    start, end = tariff.start_date_time, tariff.end_date_time
    if start and end and end <= start:
        yield Doubt(Level.ERROR, "end_date_time", "never", "is not after start_date_time: the tariff is never valid")
    elif end and end <= at:
        text = f"{end:%Y-%m-%d %H:%M} UTC is past: no transaction that begins now may use it"
        yield Doubt(Level.NOTE, "end_date_time", "expired", text)
