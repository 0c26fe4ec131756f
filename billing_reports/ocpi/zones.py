"""The time zone of a country whose clocks all agree. Decided here: that between different clocks nothing is guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

_ALPHA3 = 3
_SAMPLES = tuple(datetime(year, month, 1, tzinfo=UTC) for year in range(2015, 2036) for month in range(1, 13))


@lru_cache(maxsize=512)
def zone_of_country(country: str) -> str | None:
    """IANA zone of an ISO 3166 country (alpha-3 as OCPI has it, or alpha-2), from CLDR; None where clocks differ inside it.

    Germany has two zones that always showed the same time since 1981: that is one clock.
    """
    code = country.upper()
    if len(code) == _ALPHA3:
        code = next(iter(get_global("territory_aliases").get(code, ())), "")
    zones: list[str] = get_global("territory_zones").get(code, [])
    clocks = {tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in _SAMPLES) for zone in zones}
    return zones[0] if len(clocks) == 1 else None
