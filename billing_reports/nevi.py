"""The report for the authority (23 CFR 680.112) over any days. Decided here: what it holds; columns and spellings are in `evchart`.

Sessions are those that overlap the days; uptime is by month, of the months that the days lie in. The rule asks for quarters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import msgspec

from billing_reports.evchart import outages_csv, quarter_months, sessions_csv, uptime_csv
from billing_reports.plans import next_month
from billing_reports.report_session import ReportSession
from billing_reports.uptime import Port
from billing_reports.uptime_report import UptimeReport
from chargenet.model.ids import parse_label


class PortSessions(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions of one port."""

    station_id: str
    port_id: str
    sessions: int
    failed: int
    """Known not to have succeeded."""
    energy_wh: int


class NeviReport(msgspec.Struct, frozen=True, kw_only=True):
    """The three modules as files, and what they come to."""

    period: str
    """2026-Q1, or 2026-01-01_2026-01-31."""
    first_day: date
    last_day: date
    time_zone: str
    provider: str
    ports: tuple[PortSessions, ...]
    uptime: UptimeReport
    sessions_csv: str
    uptime_csv: str
    outages_csv: str


def quarter_days(year: int, quarter: int) -> tuple[date, date]:
    """First and last day. Raises ValueError unless 1 ≤ quarter ≤ 4."""
    months = quarter_months(year, quarter)
    return months[0], next_month(months[-1]) - timedelta(days=1)


def last_quarter(today: date) -> tuple[date, date]:
    """The last whole quarter before a day."""
    before = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1) - timedelta(days=1)
    return quarter_days(before.year, (before.month + 2) // 3)


def period_name(first: date, last: date) -> str:
    """That of the quarter where the days are one."""
    quarter = (first.month + 2) // 3
    if quarter_days(first.year, quarter) == (first, last):
        return f"{first.year}-Q{quarter}"
    return f"{first}_{last}"


def nevi_report(
    first: date,
    last: date,
    time_zone: str,
    provider: str,
    uptime: UptimeReport,
    sessions: Sequence[ReportSession],
    ports: Mapping[tuple[str, int], Port],
) -> NeviReport:
    """`sessions`: those that overlap the days; `ports`: every EVSE that is known."""
    return NeviReport(
        period=period_name(first, last), first_day=first, last_day=last, time_zone=time_zone, provider=provider, uptime=uptime,
        ports=_by_port(sessions, uptime, ports), sessions_csv=sessions_csv(sessions, ports, provider),
        uptime_csv=uptime_csv(uptime.ports, provider), outages_csv=outages_csv(uptime.ports, provider),
    )  # fmt: skip


def _by_port(
    sessions: Sequence[ReportSession], uptime: UptimeReport, ports: Mapping[tuple[str, int], Port]
) -> tuple[PortSessions, ...]:
    found: dict[tuple[str, str], list[ReportSession]] = {(each.port.station_id, each.port.port_id): [] for each in uptime.ports}
    for session in sessions:
        port = ports.get((session.charge_point_id, parse_label(session.connector).evse_id))
        if port is not None:
            found.setdefault((port.station_id, port.port_id), []).append(session)
    return tuple(
        PortSessions(
            station_id=station_id, port_id=port_id, sessions=len(each), failed=sum(one.successful is False for one in each),
            energy_wh=sum(one.energy_wh for one in each),
        )
        for (station_id, port_id), each in sorted(found.items())
    )  # fmt: skip
