"""Tariffs of OCPI 2.1.1, 2.2.1 and 2.3.0 → the inner tariff, and back. Decided here: what differs between the versions.

2.1.1: no VAT, limits or reservation. 2.2.1: prices before VAT, limits as {excl_vat, incl_vat}. 2.3.0: `tax_included`, limits as
{before_taxes, after_taxes}. Two fields of ours, `series` and `factor` of a price component, are read and never written.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from billing_reports.ocpi.document import OcpiError, Version, convert, load_json, number, object_of, utc, when, without_nulls
from billing_reports.split import minute_of_day
from billing_reports.tariff import PriceLimit, Restrictions, Tariff, TaxIncluded

_LIMIT_NAMES = {"excl_vat": "before_taxes", "incl_vat": "after_taxes"}
_SINCE_221 = ("min_current", "max_current", "reservation")


def read_tariff(document: str | bytes | dict[str, Any], source: str = "tariff") -> Tariff:
    """A tariff of any of the three versions. OcpiError names the place of the first mistake; nothing is guessed.

    `id` may be missing ("unnamed"), as may all that a price does not need.
    """
    loaded = load_json(document, source) if isinstance(document, str | bytes) else document
    if isinstance(loaded, list) and len(loaded) == 1:
        loaded = loaded[0]
    raw = without_nulls(object_of(loaded, source, "tariff"))
    raw.setdefault("id", "unnamed")
    for name in ("min_price", "max_price"):
        if isinstance(raw.get(name), dict):
            raw[name] = {_LIMIT_NAMES.get(key, key): value for key, value in raw[name].items()}
    if "energy_mix" in raw:
        raw["energy_mix"] = json.dumps(raw["energy_mix"], default=str, ensure_ascii=False)
    tariff = convert(raw, Tariff, source)
    _check(tariff, source)
    dates = {
        name: utc(at) for name in ("start_date_time", "end_date_time", "last_updated") if (at := getattr(tariff, name)) is not None
    }
    return msgspec.structs.replace(tariff, **dates)


def _check(tariff: Tariff, source: str) -> None:
    if len(tariff.currency) != 3 or not (tariff.currency.isascii() and tariff.currency.isupper()):
        raise OcpiError(source, "currency", f"is {tariff.currency!r}, not three capital letters of ISO 4217")
    if not tariff.elements:
        raise OcpiError(source, "elements", "is empty; a tariff needs at least one element")
    for n, element in enumerate(tariff.elements):
        if not element.price_components:
            raise OcpiError(source, f"elements[{n}].price_components", "is empty; an element needs at least one price")
        for m, component in enumerate(element.price_components):
            place = f"elements[{n}].price_components[{m}]"
            if component.step_size < 0:
                raise OcpiError(source, f"{place}.step_size", f"is {component.step_size}; a step is not negative")
            if component.vat is not None and not 0 <= component.vat < 1000:
                raise OcpiError(source, f"{place}.vat", f"is {component.vat}, no percentage of tax")
        _check_restrictions(element.restrictions, source, f"elements[{n}].restrictions")


def _check_restrictions(restrictions: Restrictions, source: str, place: str) -> None:
    for name, parse in (("start_time", minute_of_day), ("end_time", minute_of_day), ("start_date", _day), ("end_date", _day)):
        text = getattr(restrictions, name)
        if text is not None:
            try:
                parse(text)
            except ValueError as error:
                raise OcpiError(source, f"{place}.{name}", str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a date is YYYY-MM-DD, not {text!r}") from None


def write_tariff(tariff: Tariff, version: Version = Version.V230) -> dict[str, Any]:
    """The tariff as a JSON object of that version, numbers as Decimal with four decimals at most.

    OcpiError where the version has no word for something that changes the price: it is better not sent than sent wrong.
    """
    source = f"tariff {tariff.id} as OCPI {version}"
    written: dict[str, Any] = {} if version is Version.V211 else _party(tariff)
    written |= {"id": tariff.id, "currency": tariff.currency}
    if tariff.type is not None and version is not Version.V211:
        written["type"] = tariff.type.value
    if tariff.tariff_alt_text:
        written["tariff_alt_text"] = [{"language": each.language, "text": each.text} for each in tariff.tariff_alt_text]
    if tariff.tariff_alt_url is not None:
        written["tariff_alt_url"] = tariff.tariff_alt_url
    _limits(tariff, version, source, written)
    written["elements"] = [_element(n, tariff, version, source) for n in range(len(tariff.elements))]
    _taxes(tariff, version, source, written)
    if tariff.energy_mix is not None:
        written["energy_mix"] = load_json(tariff.energy_mix, source)
    for name in ("start_date_time", "end_date_time", "last_updated"):
        at = getattr(tariff, name)
        if at is not None:
            if version is Version.V211 and name != "last_updated":
                raise OcpiError(source, name, "OCPI 2.1.1 has no validity of a tariff")
            written[name] = when(at)
    return written


def _party(tariff: Tariff) -> dict[str, Any]:
    return {name: value for name in ("country_code", "party_id") if (value := getattr(tariff, name)) is not None}


def _taxes(tariff: Tariff, version: Version, source: str, written: dict[str, Any]) -> None:
    if version is Version.V230:
        written["tax_included"] = tariff.tax_included.value
    elif tariff.tax_included is TaxIncluded.YES:
        raise OcpiError(source, "tax_included", f"prices of OCPI {version} are before taxes, those of this tariff include them")


def _limits(tariff: Tariff, version: Version, source: str, written: dict[str, Any]) -> None:
    names = ("before_taxes", "after_taxes") if version is Version.V230 else ("excl_vat", "incl_vat")
    for name in ("min_price", "max_price"):
        limit: PriceLimit | None = getattr(tariff, name)
        if limit is None:
            continue
        if version is Version.V211:
            raise OcpiError(source, name, "OCPI 2.1.1 has no minimum or maximum price")
        written[name] = {names[0]: number(limit.before_taxes)}
        if limit.after_taxes is not None:
            written[name][names[1]] = number(limit.after_taxes)


def _element(index: int, tariff: Tariff, version: Version, source: str) -> dict[str, Any]:
    element, place = tariff.elements[index], f"elements[{index}]"
    components = []
    for each in element.price_components:
        if each.series is not None:
            raise OcpiError(source, f"{place}.price_components", f"OCPI cannot express prices that follow the series {each.series}")
        made: dict[str, Any] = {"type": each.type.value, "price": number(each.price)}
        if each.vat is not None and version is not Version.V211:
            made["vat"] = number(each.vat)
        components.append(made | {"step_size": max(1, each.step_size)})
    restrictions: dict[str, Any] = msgspec.to_builtins(element.restrictions, builtin_types=(Decimal,))
    if version is Version.V211 and (found := next((name for name in _SINCE_221 if name in restrictions), None)):
        raise OcpiError(source, f"{place}.restrictions.{found}", "OCPI 2.1.1 has no such restriction")
    written: dict[str, Any] = {"price_components": components}
    if restrictions:
        written["restrictions"] = {
            name: number(value) if isinstance(value, Decimal) else value for name, value in restrictions.items()
        }
    return written
