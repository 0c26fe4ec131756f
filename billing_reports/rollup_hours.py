"""Intervals of a charge point → seconds per connector and hour. Decided here: how sets of time become whole seconds of an hour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing_reports.intervals import SECOND_US, Intervals, clip, total
from billing_reports.rollup_state import PointState, Span
from billing_reports.rollups import HOUR, HourSeconds, hours_between
from billing_reports.timeline import Timeline, timeline
from chargenet.model.record import microseconds


def seconds_of(charge_point_id: str, state: PointState, spans: Sequence[Span], start: datetime, end: datetime) -> list[HourSeconds]:
    """Rows of all connectors of one charge point for the complete hours of [start, end); none before it was heard of.

    `spans`: at least those that overlap the window.
    """
    rows: list[HourSeconds] = []
    first, last = microseconds(start), microseconds(end)
    for label in sorted(label for label in state.places if label):
        first_at = max(state.first_at, state.places[label].first_at)
        if first_at >= end:
            continue
        line = timeline(spans, label, first_at, first, last)
        rows += [_row(charge_point_id, label, hour, line) for hour in hours_between(max(start, first_at), end)]
    return rows


def _row(charge_point_id: str, label: str, hour: datetime, line: Timeline) -> HourSeconds:
    start, end = microseconds(hour), microseconds(hour + HOUR)

    def seconds(intervals: Intervals) -> int:
        return round(total(clip(intervals, start, end)) / SECOND_US)

    occupied, charging = seconds(line.occupied), seconds(line.charging)
    return HourSeconds(
        charge_point_id=charge_point_id,
        connector=label,
        hour=hour,
        total_s=seconds(line.known),
        occupied_s=occupied,
        charging_s=charging,
        idle_s=occupied - charging,
        faulted_s=seconds(line.faulted),
        unavailable_s=seconds(line.unavailable),
        offline_s=seconds(line.offline),
        unknown_s=seconds(line.unknown),
    )
