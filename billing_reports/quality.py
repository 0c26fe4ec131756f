"""Doubts about sessions. Decided here: what a session must not be, and what it seldom is, so that a report says what it rests on.

Bounds follow the validation of the EV Charging Use Specification (Atlas Public Policy) and the thresholds that the French
QualiCharge service publishes. Errors are left out of every figure; warnings stay in and are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from billing_reports.report_session import ReportConnector, ReportSession

SHORT_S = 60
LONG_PLUGGED_S = 48 * 3600
LONG_CHARGING_S = 24 * 3600
LITTLE_WH = 500
MUCH_WH = 250_000
OVER_RATING = 1.1

ERRORS: Mapping[str, str] = {
    "backwards": "ends before it begins",
    "no_time": "lasts no time at all",
    "unknown_connector": "at a connector that is not known",
    "outside": "outside the period",
    "energy_absurd": "negative energy",
}
WARNINGS: Mapping[str, str] = {
    "no_energy": "no energy",
    "little_energy": "less than 0.5 kWh",
    "much_energy": "more than 250 kWh",
    "short": "shorter than a minute",
    "long_plugged": "plugged in for more than 48 hours",
    "long_charging": "charging for more than 24 hours",
    "charging_over_plugged": "charged for longer than it was plugged in",
    "over_rating": "more mean power than the connector can give",
    "overlap": "overlaps an earlier session at the same connector",
}


class Doubts(msgspec.Struct, kw_only=True):
    """Counts by word of ERRORS and WARNINGS; `sessions` is how many were looked at."""

    sessions: int = 0
    errors: dict[str, int] = {}
    warnings: dict[str, int] = {}


def error_of(
    session: ReportSession, connectors: Mapping[tuple[str, str], ReportConnector], start: datetime, end: datetime
) -> str | None:
    """Why a session counts nowhere, None where it counts."""
    if session.ended_at < session.began_at:
        return "backwards"
    if session.ended_at == session.began_at:
        return "no_time"
    if session.energy_wh < 0:
        return "energy_absurd"
    if (session.charge_point_id, session.connector) not in connectors:
        return "unknown_connector"
    if session.ended_at <= start or session.began_at >= end:
        return "outside"
    return None


def warnings_of(session: ReportSession, connector: ReportConnector) -> list[str]:
    """What is odd about it."""
    plugged, charging = session.plugged_s, session.charging_s
    flowing = plugged if charging is None else max(charging, 1)
    rated = connector.rated_w
    found = {
        "no_energy": session.energy_wh == 0,
        "little_energy": 0 < session.energy_wh < LITTLE_WH,
        "much_energy": session.energy_wh > MUCH_WH,
        "short": plugged < SHORT_S,
        "long_plugged": plugged > LONG_PLUGGED_S,
        "long_charging": charging is not None and charging > LONG_CHARGING_S,
        "charging_over_plugged": charging is not None and charging > plugged + 1,
        "over_rating": rated is not None and session.energy_wh * 3600 > OVER_RATING * rated * flowing,
    }
    return [word for word, is_so in found.items() if is_so]


def examine(
    sessions: Iterable[ReportSession], connectors: Sequence[ReportConnector], start: datetime, end: datetime
) -> tuple[list[ReportSession], Doubts]:
    """The sessions that count, in order of their begin, and the doubts about all."""
    by_key = {each.key: each for each in connectors}
    errors: Counter[str] = Counter()
    warnings: Counter[str] = Counter()
    kept: list[ReportSession] = []
    until: dict[tuple[str, str], datetime] = {}
    seen = 0
    for session in sorted(sessions, key=lambda each: (each.began_at, each.session_id)):
        seen += 1
        error = error_of(session, by_key, start, end)
        if error is not None:
            errors[error] += 1
            continue
        key = (session.charge_point_id, session.connector)
        warnings.update(warnings_of(session, by_key[key]))
        if key in until and session.began_at < until[key]:
            warnings["overlap"] += 1
        until[key] = max(session.ended_at, until.get(key, session.ended_at))
        kept.append(session)
    return kept, Doubts(sessions=seen, errors=dict(errors), warnings=dict(warnings))
