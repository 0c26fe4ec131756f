"""The uptime report of a network: its ports together. Decided here: sums over ports, never averages of their percentages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from billing_reports.uptime import REQUIRED, PortUptime, UptimePeriod, network_uptime


class UptimeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Ports in order of site and id."""

    months: tuple[date, ...]
    time_zone: str
    until: datetime
    """What was known: minutes after it count nowhere."""
    ports: tuple[PortUptime, ...]
    network: tuple[UptimePeriod, ...]
    """Each month over all ports."""
    year: UptimePeriod
    """The twelve months over all ports."""
    below: tuple[str, ...]
    """Ports whose twelve months are not above 97 % of their minutes in service."""


def uptime_report(ports: Sequence[PortUptime], months: Sequence[date], time_zone: str, until: datetime) -> UptimeReport:
    """Raises ValueError without months."""
    if not months:
        raise ValueError("an uptime report has at least one month")
    ordered = sorted(ports, key=lambda each: (each.port.site, each.port.port_id))
    whole = [_sum([each.months[index] for each in ordered], f"{month:%Y-%m}", until) for index, month in enumerate(months)]
    return UptimeReport(
        months=tuple(months),
        time_zone=time_zone,
        until=until,
        ports=tuple(ordered),
        network=tuple(whole),
        year=_sum([each.year for each in ordered], f"12 months to {months[-1]:%Y-%m}", until),
        below=tuple(each.port.port_id for each in ordered if each.meets is False),
    )


def _sum(periods: Sequence[UptimePeriod], name: str, until: datetime) -> UptimePeriod:
    causes: dict[str, float] = {}
    for each in periods:
        for cause, value in each.causes.items():
            causes[cause] = causes.get(cause, 0.0) + value
    return UptimePeriod(
        name=name,
        start=min((each.start for each in periods), default=until),
        end=max((each.end for each in periods), default=until),
        in_service=sum(each.in_service for each in periods),
        outage=sum(each.outage for each in periods),
        excluded=sum(each.excluded for each in periods),
        causes=causes,
    )


__all__ = ["REQUIRED", "UptimeReport", "network_uptime", "uptime_report"]
