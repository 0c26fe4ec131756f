"""One hour of one connector, and sums of hours. Decided here: what an hour holds and how windows add up; not where it comes from.

Seconds are recomputed whole from intervals whenever something is reported late (`revision` counts how often a complete hour
changed); energy, sessions and revenue are added as they are known. Sums are sums of rows: no average is ever averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

HOUR_S = 3600
HOUR = timedelta(hours=1)
WINDOWS: Mapping[str, int] = {"1h": 1, "24h": 24, "7d": 168}
"""Name → complete hours."""


class HourSeconds(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector did in one UTC hour, in seconds. States overlap where they do in life: occupied and offline at once.

    `total_s` is what of the hour has passed since the connector was first heard of; what is in no other field was available.
    """

    charge_point_id: str
    connector: str
    hour: datetime
    total_s: int = 0
    occupied_s: int = 0
    """A vehicle is connected: by status, or by a transaction."""
    charging_s: int = 0
    idle_s: int = 0
    """Occupied and not charging."""
    faulted_s: int = 0
    """Faulted, itself or its whole charge point, while connected."""
    unavailable_s: int = 0
    """Out of service by its own word, while connected."""
    offline_s: int = 0
    """Not connected to us."""
    unknown_s: int = 0
    """Connected, and no status known."""


class HourAmounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is added to one hour of one connector."""

    charge_point_id: str
    connector: str
    hour: datetime
    energy_wh: int = 0
    sessions: int = 0
    """Transactions that began in the hour."""


class HourRevenue(msgspec.Struct, frozen=True, kw_only=True):
    """What CDRs add to one hour of one connector, by currency, before taxes. Negative where credits outweigh."""

    charge_point_id: str
    connector: str
    hour: datetime
    revenue: Mapping[str, Decimal]


class HourRow(HourSeconds, frozen=True, kw_only=True):
    """One hour of one connector as kept."""

    energy_wh: int = 0
    sessions: int = 0
    revenue: Mapping[str, Decimal] = {}
    """By currency, before taxes, of the CDRs whose sessions ended in the hour; empty where there is none."""
    revision: int = 0
    """How often it changed after it was complete."""


class PointSum(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of all connectors of one charge point, added up."""

    charge_point_id: str
    total_s: int = 0
    occupied_s: int = 0
    charging_s: int = 0
    idle_s: int = 0
    faulted_s: int = 0
    unavailable_s: int = 0
    offline_s: int = 0
    unknown_s: int = 0
    energy_wh: int = 0
    sessions: int = 0


class SiteWindow(msgspec.Struct, kw_only=True):
    """A site in a window that ends with the last complete hour; `revenue` by currency, before taxes."""

    site: str
    window: str
    total_s: int = 0
    occupied_s: int = 0
    charging_s: int = 0
    idle_s: int = 0
    faulted_s: int = 0
    unavailable_s: int = 0
    offline_s: int = 0
    unknown_s: int = 0
    energy_wh: int = 0
    sessions: int = 0
    revenue: dict[str, float] = msgspec.field(default_factory=dict)


_SUMMED = tuple(name for name in PointSum.__struct_fields__ if name != "charge_point_id")


def hour_of(at: datetime) -> datetime:
    """The beginning of its UTC hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def hours_between(start: datetime, end: datetime) -> Iterable[datetime]:
    """Beginnings of the hours that [start, end) touches."""
    hour = hour_of(start)
    while hour < end:
        yield hour
        hour += HOUR


def by_site(window: str, sums: Iterable[PointSum], site_of: Callable[[str], str]) -> list[SiteWindow]:
    """Charge points' sums added up by site, in order of site."""
    sites: dict[str, SiteWindow] = {}
    for each in sums:
        name = site_of(each.charge_point_id)
        found = sites.get(name)
        if found is None:
            found = sites[name] = SiteWindow(site=name, window=window)
        for field in _SUMMED:
            setattr(found, field, getattr(found, field) + getattr(each, field))
    return [sites[name] for name in sorted(sites)]
