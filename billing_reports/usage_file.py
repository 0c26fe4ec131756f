"""A usage from a file: our short format or an OCPI CDR. Decided here: which of the two it is, and the short format.

    {"tz": "Europe/Oslo", "start": "2026-01-14T09:00:00", "periods": [[60, {"ENERGY": 20, "TIME": 60}], [40, {"PARKING_TIME": 40}]],
     "reservation_expired": false}

`start` is local unless it has an offset; each period is its minutes and its volumes as OCPI dimensions: ENERGY in kWh, times in
minutes, powers in kW, currents in A. Only dimensions that are listed are billed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.cdr import ChargingPeriod, Usage
from billing_reports.metering import UsageError
from billing_reports.ocpi.cdr_in import CdrDocument, dimensions_of, periods_of, read_cdr
from billing_reports.ocpi.document import OcpiError, Version, convert, load_json, object_of, without_nulls
from billing_reports.price import zone_of
from billing_reports.series import PriceSeries

_MINUTE_MS = Decimal(60_000)
_KNOWN = frozenset(
    {
        "ENERGY", "TIME", "PARKING_TIME", "RESERVATION_TIME", "POWER", "MIN_POWER", "MAX_POWER",
        "CURRENT", "MIN_CURRENT", "MAX_CURRENT", "ENERGY_IMPORT", "ENERGY_EXPORT", "STATE_OF_CHARGE",
    }
)  # fmt: skip
_MOST_PERIODS = 100_000


class _Short(msgspec.Struct, frozen=True):
    start: datetime
    periods: tuple[tuple[Decimal, dict[str, Decimal]], ...]
    tz: str = "UTC"
    reservation_expired: bool = False
    id: str = "unnamed"
    currency: str = ""


def read_usage(text: str | bytes, source: str = "session", *, time_zone: str | None = None) -> CdrDocument:
    """What a file says was used. OcpiError names the place of the first mistake. `time_zone` wins over the file's."""
    raw = object_of(without_nulls(load_json(text, source)), source, "session")
    if "charging_periods" in raw or "start_date_time" in raw:
        return read_cdr(raw, source, time_zone=time_zone)
    if "periods" not in raw:
        raise OcpiError(source, "periods", "is missing; a session has periods, an OCPI CDR charging_periods")
    short = convert(raw, _Short, source)
    name = time_zone or short.tz
    zone = _zone(name, source)
    if len(short.periods) > _MOST_PERIODS:
        raise OcpiError(source, "periods", f"has {len(short.periods)} entries; at most {_MOST_PERIODS} are read")
    at = (short.start if short.start.tzinfo else short.start.replace(tzinfo=zone)).astimezone(UTC)
    made: list[ChargingPeriod] = []
    for index, (minutes, volumes) in enumerate(short.periods):
        _check(index, minutes, volumes, source)
        end = at + timedelta(milliseconds=int((minutes * _MINUTE_MS).to_integral_value(ROUND_HALF_UP)))
        made.extend(periods_of(at, end, dimensions_of(volumes, _MINUTE_MS)))
        at = end
    usage = Usage(tuple(made), name, short.reservation_expired)
    return CdrDocument(short.id, Version.V230, short.currency, usage, (), None)


def _zone(name: str, source: str) -> ZoneInfo:
    try:
        return zone_of(name)
    except UsageError as error:
        raise OcpiError(source, "tz", error.problem) from None


def _check(index: int, minutes: Decimal, volumes: dict[str, Decimal], source: str) -> None:
    if not 0 <= minutes <= 10_000_000:
        raise OcpiError(source, f"periods[{index}][0]", f"is {minutes}; a period lasts 0 minutes or more")
    for name, volume in volumes.items():
        if name not in _KNOWN:
            raise OcpiError(source, f"periods[{index}][1].{name}", f"is no dimension; known are {', '.join(sorted(_KNOWN))}")
        if "TIME" in name and volume < 0:
            raise OcpiError(source, f"periods[{index}][1].{name}", f"is {volume}; time does not run back")


def read_series(text: str | bytes, source: str = "series") -> tuple[PriceSeries, ...]:
    """Price series from JSON: one `{"name", "currency", "intervals": [{"start_at", "end_at", "price"}, …]}` or a list of them."""
    raw = load_json(text, source)
    return convert(raw if isinstance(raw, list) else [raw], tuple[PriceSeries, ...], source)
