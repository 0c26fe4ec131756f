"""A priced CDR as JSON for people's programs: the CLI, the API. Decided here: names, units, and that money is text.

Names follow OCPI 2.3.0 where it has one. Amounts are strings in the CDR's currency, exact, with at least the currency's decimals;
energies kWh, times hours as in OCPI, besides `_wh` and `_s` which are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from billing_reports.cdr import Adjustment, Price, PricedCdr, PricedLine, PricedPeriod, TaxAmount, Totals
from billing_reports.money import decimal_text, minor_units
from billing_reports.ocpi.document import number, when
from billing_reports.tariff import Dimension

_HOUR, _KWH = Decimal(3600), Decimal(1000)
_UNITS = {Dimension.ENERGY: "Wh", Dimension.TIME: "s", Dimension.PARKING_TIME: "s", Dimension.FLAT: "x"}


def priced_view(priced: PricedCdr) -> dict[str, Any]:
    """The whole breakdown as a JSON object."""
    least, totals = minor_units(priced.currency), priced.totals
    cost = {"currency": priced.currency, **_price(totals.cost, least), "taxes": _taxes(totals.taxes, least)}
    span = (
        {"start_date_time": when(priced.periods[0].start_at), "end_date_time": when(priced.periods[-1].end_at)}
        if priced.periods
        else {}
    )
    return {
        "currency": priced.currency,
        "tariff_id": priced.tariff_id,
        "time_zone": priced.time_zone,
        **span,
        "total_cost": cost,
        **{
            f"total_{name}_cost": _price(getattr(totals, name), least)
            for name in ("fixed", "energy", "time", "parking", "reservation")
        },
        "total_adjustments": _price(totals.adjustments, least),
        **_volumes(totals),
        "charging_periods": [_period(each, least) for each in priced.periods],
        "adjustments": [_adjustment(each, least) for each in priced.adjustments],
        "flags": list(priced.flags),
    }


def _volumes(totals: Totals) -> dict[str, Any]:
    return {
        "total_energy": _plain(number(totals.energy_wh / _KWH)),
        "total_time": _plain(number(totals.total_time_s / _HOUR)),
        "total_parking_time": _plain(number(totals.parking_time_s / _HOUR)),
        "total_reservation_time": _plain(number(totals.reservation_time_s / _HOUR)),
        "total_energy_wh": _plain(totals.energy_wh),
        "total_time_s": _plain(totals.total_time_s),
        "total_parking_time_s": _plain(totals.parking_time_s),
        "total_reservation_time_s": _plain(totals.reservation_time_s),
    }


def _period(period: PricedPeriod, least: int) -> dict[str, Any]:
    return {
        "start_date_time": when(period.start_at),
        "end_date_time": when(period.end_at),
        "kind": period.kind.value,
        "tariff_id": period.tariff_id,
        "source": period.source,
        "lines": [_line(each, least) for each in period.lines],
    }


def _line(line: PricedLine, least: int) -> dict[str, Any]:
    return {
        "dimension": line.dimension.value,
        "unit": _UNITS[line.dimension],
        "measured": _plain(line.measured),
        "billed": _plain(line.billed),
        "price": None if line.price is None else decimal_text(line.price, least),
        "vat": _rate(line.vat),
        "before_taxes": decimal_text(line.before_taxes, least),
        "taxes": decimal_text(line.taxes, least),
        "after_taxes": decimal_text(line.after_taxes, least),
        "element": line.element,
        "rule": line.rule,
    }


def _adjustment(adjustment: Adjustment, least: int) -> dict[str, Any]:
    return {
        "kind": adjustment.kind.value,
        "vat": _rate(adjustment.vat),
        "before_taxes": decimal_text(adjustment.before_taxes, least),
        "after_taxes": decimal_text(adjustment.after_taxes, least),
        "rule": adjustment.rule,
    }


def _price(price: Price, least: int) -> dict[str, str]:
    return {"before_taxes": decimal_text(price.before_taxes, least), "after_taxes": decimal_text(price.after_taxes, least)}


def _taxes(taxes: Sequence[TaxAmount], least: int) -> list[dict[str, str]]:
    return [
        {
            "name": each.name,
            "percentage": decimal_text(each.percentage, 0),
            "base": decimal_text(each.base, least),
            "amount": decimal_text(each.amount, least),
        }
        for each in taxes
    ]


def _rate(vat: Decimal | None) -> str | None:
    return None if vat is None else decimal_text(vat, 0)


def _plain(value: Decimal) -> int | float:
    """A volume as a JSON number."""
    return int(value) if value == value.to_integral_value() else float(value)
