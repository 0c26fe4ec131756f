"""A CDR as OCPI 2.1.1, 2.2.1 or 2.3.0. Decided here: which of our figures each field is, and how it is rounded.

OCPI numbers have four decimals, so here, and only here, amounts of a CDR lose what lies behind. Times are hours, energies kWh.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from billing_reports.breakdown import TAX_NAME
from billing_reports.cdr import Cdr, PeriodKind, Price, PricedPeriod, TaxAmount, Totals
from billing_reports.ocpi.document import OcpiError, Version, number, when
from billing_reports.ocpi.tariffs import write_tariff
from billing_reports.tariff import Dimension

_HOUR = Decimal(3600)
_KWH = Decimal(1000)
_TIMES = {PeriodKind.CHARGING: "TIME", PeriodKind.PARKING: "PARKING_TIME", PeriodKind.RESERVATION: "RESERVATION_TIME"}
_TOTALS = (
    ("fixed", "total_fixed_cost"),
    ("energy", "total_energy_cost"),
    ("time", "total_time_cost"),
    ("parking", "total_parking_cost"),
)
_CREDIT_ID = 36


class CdrParty(msgspec.Struct, frozen=True):
    """Who sends CDRs (ISO 3166 alpha-2, and three characters of eMI3)."""

    country_code: str
    party_id: str


class CdrLocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """OCPI CdrLocation: where it was, frozen into the CDR."""

    id: str
    address: str
    city: str
    country: str
    """ISO 3166 alpha-3."""
    latitude: str
    longitude: str
    evse_uid: str
    evse_id: str
    connector_id: str
    connector_standard: str
    connector_format: str
    connector_power_type: str
    name: str | None = None
    postal_code: str | None = None
    time_zone: str | None = None


def write_cdr(cdr: Cdr, party: CdrParty, location: CdrLocation, version: Version = Version.V230) -> dict[str, Any]:
    """The CDR as a JSON object, numbers as Decimal. OcpiError for what the version cannot say.

    2.1.1 knows no credit CDR, no taxes and no reservation: amounts there are before taxes.
    """
    source = f"CDR {cdr.id} as OCPI {version}"
    if version is Version.V211:
        _refuse(cdr, source)
    totals = cdr.priced.totals
    written = _head(cdr, party, version) | {"currency": cdr.currency}
    written["location" if version is Version.V211 else "cdr_location"] = _location(location, version)
    if cdr.meter_id is not None:
        written["meter_id"] = cdr.meter_id
    written["tariffs"] = [write_tariff(cdr.tariff, version)]
    written["charging_periods"] = [_period(each, cdr, version) for each in cdr.priced.periods]
    if cdr.signed and version is not Version.V211:
        written["signed_data"] = _signed(cdr)
    written["total_cost"] = _price(cdr.total, version, totals.taxes, -1 if cdr.credit else 1)
    written["total_energy"] = number(totals.energy_wh / _KWH)
    written["total_time"] = number(totals.total_time_s / _HOUR)
    if totals.parking_time_s:
        written["total_parking_time"] = number(totals.parking_time_s / _HOUR)
    if version is not Version.V211:
        _parts(written, totals, version)
    return written | _foot(cdr, version)


def _refuse(cdr: Cdr, source: str) -> None:
    if cdr.credit:
        raise OcpiError(source, "credit", "OCPI 2.1.1 has no credit CDR")
    if any(each.kind is PeriodKind.RESERVATION for each in cdr.priced.periods):
        raise OcpiError(source, "charging_periods", "OCPI 2.1.1 has no reservation")


def _foot(cdr: Cdr, version: Version) -> dict[str, Any]:
    written: dict[str, Any] = {} if cdr.remark is None else {"remark": cdr.remark}
    if cdr.credit:
        written |= {"credit": True, "credit_reference_id": cdr.credit_reference_id}
    if cdr.home_charging_compensation and version is not Version.V211:
        written["home_charging_compensation"] = True
    return written | {"last_updated": when(cdr.created_at)}


def _head(cdr: Cdr, party: CdrParty, version: Version) -> dict[str, Any]:
    token = cdr.id_token or "unknown"
    if version is Version.V211:
        return {
            "id": cdr.id[:_CREDIT_ID], "start_date_time": when(cdr.started_at), "stop_date_time": when(cdr.ended_at),
            "auth_id": token, "auth_method": "WHITELIST",
        }  # fmt: skip
    return {
        "country_code": party.country_code, "party_id": party.party_id, "id": cdr.id,
        "start_date_time": when(cdr.started_at), "end_date_time": when(cdr.ended_at), "session_id": cdr.transaction_id or cdr.id,
        "cdr_token": {
            "country_code": party.country_code, "party_id": party.party_id, "uid": token,
            "type": "RFID", "contract_id": cdr.contract_id or token,
        },
        "auth_method": "WHITELIST",
    }  # fmt: skip


def _location(location: CdrLocation, version: Version) -> dict[str, Any]:
    coordinates = {"latitude": location.latitude, "longitude": location.longitude}
    place = {name: getattr(location, name) for name in ("id", "name", "address", "city", "postal_code", "country")}
    place = {name: value for name, value in place.items() if value is not None} | {"coordinates": coordinates}
    connector = {"standard": location.connector_standard, "format": location.connector_format}
    if version is Version.V211:
        held = {"id": location.connector_id, "power_type": location.connector_power_type} | connector
        evse = {"uid": location.evse_uid, "evse_id": location.evse_id, "connectors": [held]}
        zone = {} if location.time_zone is None else {"time_zone": location.time_zone}
        return place | zone | {"evses": [evse]}
    return place | {
        "evse_uid": location.evse_uid, "evse_id": location.evse_id, "connector_id": location.connector_id,
        "connector_standard": connector["standard"], "connector_format": connector["format"],
        "connector_power_type": location.connector_power_type,
    }  # fmt: skip


def _period(period: PricedPeriod, cdr: Cdr, version: Version) -> dict[str, Any]:
    """What was measured (not what the step size made of it), and the extremes of the charging period it is cut from."""
    dimensions: list[dict[str, Any]] = []
    for line in period.lines:
        if line.dimension is Dimension.ENERGY:
            dimensions.append({"type": "ENERGY", "volume": number(line.measured / _KWH)})
        elif line.dimension is not Dimension.FLAT:
            dimensions.append({"type": _TIMES[period.kind], "volume": number(line.measured / _HOUR)})
    used = cdr.usage.periods[period.source]
    for name, value in (("MIN_CURRENT", used.min_current_ma), ("MAX_CURRENT", used.max_current_ma)):
        if value is not None:
            dimensions.append({"type": name, "volume": number(Decimal(value) / 1000)})
    if version is not Version.V211:
        for name, value in (("MIN_POWER", used.min_power_w), ("MAX_POWER", used.max_power_w)):
            if value is not None:
                dimensions.append({"type": name, "volume": number(Decimal(value) / 1000)})
    written: dict[str, Any] = {"start_date_time": when(period.start_at), "dimensions": dimensions}
    return written if version is Version.V211 else written | {"tariff_id": period.tariff_id}


def _price(price: Price, version: Version, taxes: tuple[TaxAmount, ...] = (), sign: int = 1) -> Any:
    if version is Version.V211:
        return number(price.before_taxes)
    if version is Version.V221:
        return {"excl_vat": number(price.before_taxes), "incl_vat": number(price.after_taxes)}
    written: dict[str, Any] = {"before_taxes": number(price.before_taxes)}
    if taxes:
        written["taxes"] = [
            {"name": each.name, "percentage": number(each.percentage), "amount": number(sign * each.amount)} for each in taxes
        ]
    elif price.taxes:
        written["taxes"] = [{"name": TAX_NAME, "amount": number(price.taxes)}]
    return written


def _parts(written: dict[str, Any], totals: Totals, version: Version) -> None:
    for name, field in _TOTALS:
        part: Price = getattr(totals, name)
        if part != Price():
            written[field] = _price(part, version)
    if totals.reservation != Price() or totals.reservation_time_s:
        written["total_reservation_cost"] = _price(totals.reservation, version)


def _signed(cdr: Cdr) -> dict[str, Any]:
    first = cdr.signed[0]
    key = {} if first.public_key is None else {"public_key": first.public_key}
    values = [
        {"nature": each.context or "Transaction", "plain_data": each.payload, "signed_data": each.payload} for each in cdr.signed
    ]
    return {"encoding_method": first.encoding, **key, "signed_values": values}
