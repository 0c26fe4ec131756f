"""A report in a format. Decided here: the columns of CSV, and which document is made of which report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from billing_reports.evchart import outages_csv
from billing_reports.formats import QualityReport, Report
from billing_reports.nevi import NeviReport
from billing_reports.render import nevi_document, quality_document, uptime_document, utilization_document
from billing_reports.render.document import Document
from billing_reports.render.html import html
from billing_reports.render.pages import pdf
from billing_reports.render.statement_files import safe
from billing_reports.uptime_report import UptimeReport
from billing_reports.utilization import Use, UtilizationReport


def file_of(report: Report, form: str, made_at: datetime, language: str = "en", name: str = "") -> bytes:
    """The report as bytes; seconds of work for PDF and HTML: call it in a thread. Raises KeyError for a format that is none."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(report), indent=2)
    if form == "csv":
        return _csv(report).encode("utf-8-sig")
    return {"pdf": pdf, "html": html}[form](document_of(report, made_at, language, name))


def document_of(report: Report, made_at: datetime, language: str, name: str) -> Document:
    """What PDF and HTML are made of."""
    if isinstance(report, UtilizationReport):
        return utilization_document.document(report, made_at, language, name)
    if isinstance(report, UptimeReport):
        return uptime_document.document(report, made_at, language, name)
    if isinstance(report, NeviReport):
        return nevi_document.document(report, made_at, language, name)
    return quality_document.document(report, made_at, language, name)


def _csv(report: Report) -> str:
    if isinstance(report, UtilizationReport):
        return _table(_USE, _uses(report))
    if isinstance(report, UptimeReport):
        return _table(_UPTIME, _ports(report)) + "\r\n" + outages_csv(report.ports, "")
    if isinstance(report, NeviReport):
        return "\r\n".join((report.sessions_csv, report.uptime_csv, report.outages_csv))
    return _table(_KPI, _points(report))


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe(cell) if isinstance(cell, str) else "" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue()


_USE = (
    "group", "name", "connectors", "sessions", "energy_kwh", "open_h", "occupied_h", "occupied", "charging", "idle",
    "capacity_factor", "congestion", "sessions_per_day", "median_kwh", "users", "revenue", "low_energy_sessions",
)  # fmt: skip
_UPTIME = (
    "port_id", "station_id", "site", "charge_point", "evse", "period", "start", "end", "in_service_min", "outage_min",
    "excluded_min", "faulted_min", "unavailable_min", "offline_min", "unknown_min", "uptime", "literal",
)  # fmt: skip
_KPI = (
    "charge_point", "start_attempts", "orphans", "deliveries", "valid_stops", "start_success", "end_success", "session_success",
    "start_time_p50_s", "start_time_p95_s",
)  # fmt: skip


def _uses(report: UtilizationReport) -> Iterable[Sequence[object]]:
    groups: tuple[tuple[str, Sequence[Use]], ...] = (
        ("network", (report.network,)),
        ("site", report.sites),
        ("model", report.models),
        ("connector", report.connectors),
    )
    for group, uses in groups:
        for use in uses:
            revenue = "; ".join(f"{amount} {currency}" for currency, amount in sorted(use.revenue.items()))
            median = None if use.energy_median_wh is None else use.energy_median_wh / 1000
            yield (
                group, use.name, use.connectors, use.sessions, use.energy_wh / 1000, round(use.open_s / 3600, 3),
                round(use.occupied_s / 3600, 3), use.occupied, use.charging, use.idle, use.capacity_factor, use.congestion,
                use.sessions_per_day, median, use.users, revenue, use.low_energy,
            )  # fmt: skip


def _ports(report: UptimeReport) -> Iterable[Sequence[object]]:
    for each in report.ports:
        port = each.port
        for period in (*each.months, each.year):
            literal = period.literal if period is each.year else None
            causes = (period.causes.get(cause, 0.0) for cause in ("faulted", "unavailable", "offline", "unknown"))
            yield (
                port.port_id, port.station_id, port.site, port.charge_point_id, port.evse_id, period.name, _instant(period.start),
                _instant(period.end), period.in_service, period.outage, period.excluded, *causes, period.uptime, literal,
            )  # fmt: skip


def _points(report: QualityReport) -> Iterable[Sequence[object]]:
    for name, count in (("", report.network), *sorted(report.points.items())):
        yield (
            name, count.start_attempts, count.orphans, count.deliveries, count.valid_stops, count.start_success,
            count.end_success, count.session_success, count.start_time_s(0.5), count.start_time_s(0.95),
        )  # fmt: skip


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
