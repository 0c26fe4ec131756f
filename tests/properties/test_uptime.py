"""Uptime cannot be talked up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing_reports.exclusion import Exclusion, Reason
from billing_reports.intervals import union
from billing_reports.uptime import Port, PortTime, uptime
from chargenet.model.record import microseconds

START = datetime(2026, 2, 1, tzinfo=UTC)
MINUTES = 28 * 24 * 60
PIECES = st.lists(st.tuples(st.integers(0, MINUTES), st.integers(0, MINUTES)), max_size=6)


@given(PIECES, PIECES)
def test_excluded_time_is_within_the_outage(up: list[tuple[int, int]], excluded: list[tuple[int, int]]) -> None:
    """0 ≤ excluded ≤ outage ≤ in service; causes add up to the outage, outages to it too; uptime is a share."""
    at = [START + timedelta(minutes=number) for number in (0, MINUTES)]
    time = PortTime(
        up=union((microseconds(START) + a * 60_000_000, microseconds(START) + b * 60_000_000) for a, b in up), causes={}
    )
    exclusions = [
        Exclusion(
            exclusion_id=number, site_id="s", reason=Reason.MAINTENANCE, began_at=START + timedelta(minutes=a),
            ended_at=START + timedelta(minutes=b), evidence="e", created_at=START, created_by="me",
        )
        for number, (a, b) in enumerate(excluded, 1)
        if a < b
    ]  # fmt: skip
    port = Port(charge_point_id="c", evse_id=1, port_id="p", site="s", commissioned_at=START)
    made = uptime(port, time, exclusions, [date(2026, 2, 1)], at[1], "UTC")
    [month] = made.months
    assert 0 <= month.excluded <= month.outage <= month.in_service == MINUTES
    assert sum(month.causes.values()) == month.outage
    assert sum(outage.minutes for outage in made.outages) == month.outage
    assert sum(outage.excluded_minutes for outage in made.outages) == month.excluded
    assert month.uptime is not None
    assert 0 <= month.uptime <= 1
