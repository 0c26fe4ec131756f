"""A statement as data: CSV for spreadsheets, JSON for programs. Decided here: columns and spellings; money is never a float."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import msgspec

from billing_reports.statement import Statement, StatementLine

COLUMNS = (
    "statement",
    "line",
    "kind",
    "cdr_id",
    "started_at",
    "ended_at",
    "site",
    "charge_point",
    "connector",
    "energy_kwh",
    "vat_percent",
    "net",
    "gross",
    "currency",
    "detail",
)


def statement_csv(statement: Statement) -> bytes:
    """One row per line, UTF-8 with a byte order mark (spreadsheets ask for it). Instants in UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(statement, line) for line in statement.lines)
    return text.getvalue().encode("utf-8-sig")


def _row(statement: Statement, line: StatementLine) -> tuple[str, ...]:
    return (
        safe(statement.number or statement.id),
        str(line.number),
        str(line.kind),
        safe(line.cdr_id or ""),
        _instant(line.started_at),
        _instant(line.ended_at),
        safe(line.site_name or line.site_id or ""),
        safe(line.charge_point_id or ""),
        line.connector or "",
        f"{line.energy_wh / 1000:.3f}",
        "" if line.vat is None else str(line.vat),
        str(line.net.amount),
        str(line.gross.amount),
        statement.currency,
        safe(line.detail),
    )


def statement_json(statement: Statement) -> bytes:
    """The whole statement, CDRs and signed values included; amounts are strings beside their currency."""
    return msgspec.json.format(msgspec.json.encode(statement), indent=2)


def safe(text: str) -> str:
    """Text that no spreadsheet takes for a formula: names of charge points come from outside."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
