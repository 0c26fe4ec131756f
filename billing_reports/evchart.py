"""Quarterly data as EV-ChART takes it (23 CFR 680.112): sessions, uptime, outages. Decided here: columns and spellings.

Columns are those of the Joint Office's upload templates. Instants are ISO 8601 in UTC, energy kWh, power kW, durations minutes.
What is not known is an empty field: nothing is invented for an authority.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from billing_reports.exclusion import CODES
from billing_reports.report_session import ReportSession
from billing_reports.uptime import Port, PortUptime
from chargenet.model.ids import parse_label

SESSIONS = (
    "station_id",
    "port_id",
    "charger_id",
    "session_id",
    "connector_id",
    "network_provider_upload",
    "session_start",
    "session_end",
    "session_error",
    "error_other",
    "energy_kwh",
    "power_kw",
    "payment_method",
    "payment_other",
)
UPTIME = (
    "station_id",
    "port_id",
    "network_provider_upload",
    "uptime_reporting_start",
    "uptime_reporting_end",
    "uptime",
    "total_outage",
    "total_outage_excl",
)
OUTAGES = (
    "station_id",
    "port_id",
    "outage_id",
    "network_provider_upload",
    "outage_duration",
    "excluded_outage",
    "excluded_outage_reason",
    "excluded_outage_notes",
)
NO_ERROR = "none"


def quarter_months(year: int, quarter: int) -> list[date]:
    """First days of its three months. Raises ValueError unless 1 ≤ quarter ≤ 4."""
    if not 1 <= quarter <= 4:
        raise ValueError("a quarter is 1, 2, 3 or 4")
    return [date(year, 3 * quarter - 2 + number, 1) for number in range(3)]


def sessions_csv(sessions: Iterable[ReportSession], ports: Mapping[tuple[str, int], Port], provider: str) -> str:
    """Module 2: every session of a known port, unsuccessful ones with their error code."""
    rows = []
    for each in sessions:
        port = ports.get((each.charge_point_id, parse_label(each.connector).evse_id))
        if port is None:
            continue
        error = each.error_code or ("" if each.successful is None else NO_ERROR if each.successful else "other")
        rows.append(
            (
                port.station_id, port.port_id, each.charge_point_id, each.session_id, each.connector, provider,
                _instant(each.began_at), _instant(each.ended_at), error, "", f"{each.energy_wh / 1000:.3f}",
                "" if each.peak_w is None else f"{each.peak_w / 1000:.3f}", each.payment, "",
            )
        )  # fmt: skip
    return _csv(SESSIONS, rows)


def uptime_csv(ports: Iterable[PortUptime], provider: str) -> str:
    """Module 3: the months of each port, three in a quarter. Uptime in percent of the minutes in service."""
    rows = []
    for each in ports:
        for month in each.months:
            share = month.uptime
            shown = "" if share is None else f"{share * 100:.2f}"
            rows.append(
                (
                    each.port.station_id, each.port.port_id, provider, _instant(month.start), _instant(month.end), shown,
                    f"{month.outage:.1f}", f"{month.excluded:.1f}",
                )
            )  # fmt: skip
    return _csv(UPTIME, rows)


def outages_csv(ports: Iterable[PortUptime], provider: str) -> str:
    """Module 4: each outage, what of it is excluded, and the evidence. `outage_id` is the instant at which it began."""
    rows = []
    for each in ports:
        for outage in each.outages:
            first = outage.excluded[0] if outage.excluded else None
            notes = "; ".join(f"{part.reason}: {part.minutes:.1f} min ({part.evidence})" for part in outage.excluded)
            rows.append(
                (
                    each.port.station_id, each.port.port_id, _instant(outage.began_at), provider, f"{outage.minutes:.1f}",
                    str(first is not None).upper(), "" if first is None else str(CODES[first.reason]), notes,
                )
            )  # fmt: skip
    return _csv(OUTAGES, rows)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
