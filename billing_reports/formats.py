"""In which forms documents leave. Decided here: names and media types; render/ makes them, and is slow to import (plots, PDF)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from billing_reports.kpi import KpiCount
from billing_reports.nevi import NeviReport
from billing_reports.statement import Statement
from billing_reports.uptime_report import UptimeReport
from billing_reports.utilization import UtilizationReport

FORMATS = {
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml",
}
"""Reports come as all but XML, statements as all but HTML."""


class QualityReport(msgspec.Struct, frozen=True, kw_only=True):
    """ChargeX counts of a period, over the network and by charge point."""

    start: datetime
    end: datetime
    time_zone: str
    network: KpiCount
    points: dict[str, KpiCount]


Report = UtilizationReport | UptimeReport | QualityReport | NeviReport


def report_file(report: Report, form: str, made_at: datetime, language: str = "en", name: str = "") -> bytes:
    """The report as bytes; seconds of work for PDF and HTML: call it in a thread. Raises KeyError for a form that is none."""
    from billing_reports.render.report_files import file_of

    return file_of(report, form, made_at, language, name)


def statement_file(statement: Statement, form: str) -> bytes:
    """`pdf`, `xml`, `csv` or `json`; tens of milliseconds and more: call it in a thread. Raises Conflict, KeyError."""
    from billing_reports.render.documents import statement_file as made

    return made(statement, form)
