"""CDRs of OCPI 2.1.1, 2.2.1 and 2.3.0 → a usage that can be priced. Decided here: what kind of period a list of dimensions means.

A period ends where the next begins, the last with the CDR. Stated volumes are billed: a TIME of 0.9 h in a period of an hour is
0.9 h, unless it is the period's length rounded to OCPI's four decimals. TIME and PARKING_TIME in one period: charging comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec

from billing_reports.cdr import ChargingPeriod, PeriodKind, Price, Usage
from billing_reports.ocpi.document import OcpiError, Version, convert, load_json, object_of, utc, version_of, without_nulls
from billing_reports.ocpi.tariffs import read_tariff
from billing_reports.ocpi.zones import zone_of_country
from billing_reports.tariff import Tariff

_HOUR_MS = 3_600_000
_ROUNDING_MS = 180
"""Half of the fourth decimal of an hour."""


class Dimensions(msgspec.Struct, frozen=True):
    """Volumes of one charging period in base units: mWh, ms, W, mA. None where the period does not state one."""

    energy_mwh: int = 0
    charging_ms: int | None = None
    parking_ms: int | None = None
    reserved_ms: int | None = None
    min_power_w: int | None = None
    max_power_w: int | None = None
    min_current_ma: int | None = None
    max_current_ma: int | None = None


class CdrDocument(msgspec.Struct, frozen=True):
    """What a CDR says, as far as its price goes. `stated_total` is what its sender charged."""

    id: str
    version: Version
    currency: str
    usage: Usage
    tariffs: tuple[Tariff, ...]
    stated_total: Price | None
    zone_assumed: str | None = None
    """Where the time zone is from, if the CDR does not name it; `unknown` when UTC stands for it."""


class _Volume(msgspec.Struct, frozen=True):
    type: str
    volume: Decimal


class _Period(msgspec.Struct, frozen=True):
    start_date_time: datetime
    dimensions: tuple[_Volume, ...] = ()
    tariff_id: str | None = None


class _Cdr(msgspec.Struct, frozen=True):
    currency: str
    start_date_time: datetime
    charging_periods: tuple[_Period, ...]
    id: str = "unnamed"
    end_date_time: datetime | None = None
    stop_date_time: datetime | None = None


def read_cdr(document: str | bytes | dict[str, Any], source: str = "cdr", *, time_zone: str | None = None) -> CdrDocument:
    """A CDR of any of the three versions. OcpiError names the place of the first mistake.

    OCPI 2.2.1 and 2.3.0 do not say the time zone: it is `time_zone`, else the only one of the location's country, else UTC.
    """
    loaded = load_json(document, source) if isinstance(document, str | bytes) else document
    raw = without_nulls(object_of(loaded, source, "CDR"))
    cdr = convert(raw, _Cdr, source)
    ended = cdr.end_date_time or cdr.stop_date_time
    if ended is None:
        raise OcpiError(source, "end_date_time", "is missing")
    if cdr.start_date_time.year == 1970 or ended.year == 1970:
        raise OcpiError(source, "start_date_time", "1970 means that the time is not known; such a CDR is not priced")
    zone, assumed = _zone(raw, time_zone)
    periods = [piece for index in range(len(cdr.charging_periods)) for piece in _periods(cdr, index, utc(ended), source)]
    tariffs = tuple(read_tariff(each, f"{source}: tariffs[{n}]") for n, each in enumerate(raw.get("tariffs", ())))
    return CdrDocument(cdr.id, version_of(raw), cdr.currency, Usage(tuple(periods), zone), tariffs, _stated(raw), assumed)


def _zone(raw: Mapping[str, Any], given: str | None) -> tuple[str, str | None]:
    if given is not None:
        return given, None
    location = raw.get("cdr_location", raw.get("location", {}))
    stated = location.get("time_zone") if isinstance(location, dict) else None
    if isinstance(stated, str):
        return stated, None
    country = location.get("country") if isinstance(location, dict) else None
    found = zone_of_country(country) if isinstance(country, str) else None
    return (found, f"country {country}") if found else ("UTC", "unknown")


def _stated(raw: Mapping[str, Any]) -> Price | None:
    total = raw.get("total_cost")
    if isinstance(total, int | Decimal):
        return Price(Decimal(total), Decimal(total))
    if not isinstance(total, dict):
        return None
    before = total.get("before_taxes", total.get("excl_vat"))
    if not isinstance(before, int | Decimal):
        return None
    taxes = total.get("taxes", ())
    amounts = [each.get("amount", 0) for each in taxes if isinstance(each, dict)] if isinstance(taxes, list) else []
    after = total.get("incl_vat", Decimal(before) + sum((Decimal(each) for each in amounts), Decimal(0)))
    return Price(Decimal(before), Decimal(after))


def _periods(cdr: _Cdr, index: int, ended: datetime, source: str) -> list[ChargingPeriod]:
    period, place = cdr.charging_periods[index], f"charging_periods[{index}]"
    start = utc(period.start_date_time)
    following = index + 1 < len(cdr.charging_periods)
    end = utc(cdr.charging_periods[index + 1].start_date_time) if following else ended
    if end < start:
        raise OcpiError(source, f"{place}.start_date_time", "is later than what follows it")
    volumes = {each.type: each.volume for each in period.dimensions}
    return periods_of(start, end, dimensions_of(volumes, Decimal(_HOUR_MS)), period.tariff_id)


def dimensions_of(volumes: Mapping[str, Decimal], time_unit_ms: Decimal) -> Dimensions:
    """OCPI volumes (kWh, kW, A, times in a unit) in base units. Without extremes, an average POWER or CURRENT is both of them."""

    def scaled(unit: Decimal | int, *names: str) -> int | None:
        found = next((volumes[name] for name in names if name in volumes), None)
        return None if found is None else int((Decimal(found) * unit).to_integral_value(ROUND_HALF_UP))

    return Dimensions(
        energy_mwh=scaled(1_000_000, "ENERGY") or 0,
        charging_ms=scaled(time_unit_ms, "TIME"),
        parking_ms=scaled(time_unit_ms, "PARKING_TIME"),
        reserved_ms=scaled(time_unit_ms, "RESERVATION_TIME"),
        min_power_w=scaled(1000, "MIN_POWER", "POWER"),
        max_power_w=scaled(1000, "MAX_POWER", "POWER"),
        min_current_ma=scaled(1000, "MIN_CURRENT", "CURRENT"),
        max_current_ma=scaled(1000, "MAX_CURRENT", "CURRENT"),
    )


def periods_of(start: datetime, end: datetime, volumes: Dimensions, tariff_id: str | None = None) -> list[ChargingPeriod]:
    """One charging period, or two where charging and parking share one."""
    if volumes.reserved_ms:
        return [_made(start, end, PeriodKind.RESERVATION, volumes.energy_mwh, volumes.reserved_ms, volumes, tariff_id)]
    charging, parking = volumes.charging_ms or 0, volumes.parking_ms or 0
    if charging and parking:
        middle = start + (end - start) * charging / (charging + parking)
        middle = middle.replace(microsecond=middle.microsecond // 1000 * 1000)
        return [
            _made(start, middle, PeriodKind.CHARGING, volumes.energy_mwh, charging, volumes, tariff_id),
            _made(middle, end, PeriodKind.PARKING, 0, parking, Dimensions(), tariff_id),
        ]
    kind = PeriodKind.PARKING if parking else PeriodKind.CHARGING
    return [_made(start, end, kind, volumes.energy_mwh, parking or charging, volumes, tariff_id)]


def _made(
    start: datetime, end: datetime, kind: PeriodKind, energy_mwh: int, time_ms: int, volumes: Dimensions, tariff_id: str | None
) -> ChargingPeriod:
    duration = (end - start) // timedelta(milliseconds=1)
    return ChargingPeriod(
        start_at=start,
        end_at=end,
        kind=kind,
        energy_wh=energy_mwh // 1000,
        fraction_mwh=energy_mwh % 1000,
        time_ms=None if abs(duration - time_ms) <= _ROUNDING_MS else time_ms,
        min_power_w=volumes.min_power_w,
        max_power_w=volumes.max_power_w,
        min_current_ma=volumes.min_current_ma,
        max_current_ma=volumes.max_current_ma,
        tariff_id=tariff_id,
    )
