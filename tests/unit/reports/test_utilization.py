"""Utilization: every figure from sessions, checked by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing_reports.report_session import ReportConnector, ReportSession
from billing_reports.utilization import ranked, utilization

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
END = START + timedelta(days=7)


def connector(point: str, site: str = "A", model: str = "M", **more: Any) -> ReportConnector:
    """Open all week unless said otherwise."""
    hours: dict[str, Any] = {"open_from": START, "open_until": END}
    return ReportConnector(charge_point_id=point, connector="1", site=site, model=model, **(hours | more))


def session(point: str, start_h: float, hours: float, energy_wh: int = 10_000, **more: Any) -> ReportSession:
    """Hours after Monday 00:00 UTC."""
    began_at = START + timedelta(hours=start_h)
    return ReportSession(
        session_id=f"{point}-{start_h}", charge_point_id=point, connector="1", began_at=began_at,
        ended_at=began_at + timedelta(hours=hours), energy_wh=energy_wh, **more,
    )  # fmt: skip


def test_the_figures_of_one_connector() -> None:
    """A week of 168 hours with 12 plugged and 6 charging ones at 22 kW."""
    sessions = [session("a", 8, 4, 22_000, charging_s=7200), session("a", 32, 8, 44_000, charging_s=14_400)]
    network = utilization(sessions, [connector("a", rated_w=22_000)], START, END, "UTC").network
    assert (network.sessions, network.energy_wh, network.connectors) == (2, 66_000, 1)
    assert network.occupied == 12 / 168
    assert network.charging == 6 / 168
    assert network.idle == 6 / 168
    assert network.capacity_factor == 66 / (22 * 168)
    assert network.sessions_per_day == 2 / 7
    assert network.energy_per_session_wh == network.energy_median_wh == 33_000
    assert network.plugged_median_s == 6 * 3600
    assert network.days_used == 2


def test_a_network_is_not_the_average_of_its_sites() -> None:
    """A site of one busy connector and one of three empty ones: a quarter, not a half."""
    connectors = [connector("a", "A"), *(connector(name, "B") for name in "bcd")]
    made = utilization([session("a", 0, 168)], connectors, START, END, "UTC")
    assert [site.occupied for site in made.sites] == [1.0, 0.0]
    assert made.network.occupied == 0.25
    assert made.network.unused == ("b/1", "c/1", "d/1")


def test_overlapping_sessions_occupy_once() -> None:
    """And are doubted; their energy counts."""
    made = utilization([session("a", 0, 10), session("a", 5, 10)], [connector("a")], START, END, "UTC")
    assert made.network.occupied_s == 15 * 3600
    assert made.network.energy_wh == 20_000
    assert made.doubts.warnings == {"overlap": 1}


def test_a_session_is_cut_at_the_ends_of_the_period() -> None:
    """Its time inside counts, and its energy by the share of that; it began before, so it is not one more session."""
    made = utilization([session("a", -6, 24, 24_000)], [connector("a")], START, END, "UTC").network
    assert (made.occupied_s, made.energy_wh, made.sessions) == (18 * 3600, 18_000, 0)


def test_unknown_charging_time_is_unknown() -> None:
    """One session without it is enough: half a sum would look like idling."""
    made = utilization([session("a", 0, 2, charging_s=3600), session("a", 5, 2)], [connector("a")], START, END, "UTC").network
    assert (made.charging, made.idle, made.charging_s, made.charging_known) == (None, None, None, 1)


def test_congestion_is_when_nobody_could_plug_in() -> None:
    """Two connectors: 10 to 14 and 12 to 16 leave two hours in which both are taken."""
    connectors = [connector("a"), connector("b")]
    made = utilization([session("a", 10, 4), session("b", 12, 4)], connectors, START, END, "UTC").network
    assert made.congestion == 2 / 168


def test_a_young_connector_has_a_short_week() -> None:
    """Open time is its own; what it lacks is nobody's."""
    young = connector("a", open_from=END - timedelta(hours=10))
    assert utilization([session("a", 160, 5)], [young], START, END, "UTC").network.occupied == 0.5


def test_revenue_by_currency_and_users() -> None:
    """Currencies are never added; people are counted by hash, nobody when nobody was named."""
    sessions = [
        session("a", 1, 1, revenue=Decimal("2.50"), currency="EUR", user="x"),
        session("a", 3, 1, revenue=Decimal("1.25"), currency="EUR", user="x"),
        session("a", 5, 1, revenue=Decimal("9"), currency="NOK", user="y"),
    ]
    made = utilization(sessions, [connector("a")], START, END, "UTC").network
    assert (made.revenue, made.users) == ({"EUR": Decimal("3.75"), "NOK": Decimal(9)}, 2)
    assert utilization([session("a", 1, 1)], [connector("a")], START, END, "UTC").network.users is None


def test_the_grid_is_local() -> None:
    """08:00 to 09:30 UTC on a Monday is 09 and half of 10 in Berlin."""
    made = utilization([session("a", 8, 1.5)], [connector("a")], START, END, "Europe/Berlin").grid
    monday = made.occupied[0]
    assert (monday[9], monday[10], monday[11]) == (1.0, 0.5, 0.0)
    assert (made.peak_weekday, made.peak_hour) == (0, 9)


def test_the_repeated_hour_counts_twice() -> None:
    """On the last Sunday of October 02:00 to 03:00 comes twice in Berlin: both hours are open, one is used."""
    start, end = datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)
    place = connector("a", open_from=start, open_until=end)
    used = ReportSession(
        session_id="s", charge_point_id="a", connector="1", began_at=datetime(2026, 10, 25, 0, tzinfo=UTC),
        ended_at=datetime(2026, 10, 25, 1, tzinfo=UTC), energy_wh=1000,
    )  # fmt: skip
    made = utilization([used], [place], start, end, "Europe/Berlin")
    assert made.grid.occupied[6][2] == 0.5
    assert made.network.open_s == 25 * 3600


def test_zones_of_half_hours() -> None:
    """India is 5:30 ahead: 08:00 to 08:30 UTC is 13:30 to 14:00 there."""
    made = utilization([session("a", 8, 0.5)], [connector("a")], START, END, "Asia/Kolkata").grid
    assert (made.occupied[0][13], made.occupied[0][14]) == (0.5, 0.0)


def test_months_add_up() -> None:
    """Occupied seconds of the months are those of the period."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    place = connector("a", open_from=start, open_until=end)
    made = utilization([session("a", -800, 100), session("a", 3, 2)], [place], start, end, "UTC")
    assert [month.month for month in made.months] == ["2026-01", "2026-02", "2026-03"]
    assert sum(month.occupied_s for month in made.months) == made.network.occupied_s == 102 * 3600
    assert sum(month.sessions for month in made.months) == 2


def test_what_counts_nowhere_is_said() -> None:
    """Errors are left out and counted by reason; warnings stay in."""
    sessions = [
        session("a", 2, 0),
        session("a", 5, -1),
        session("zz", 5, 1),
        session("a", 500, 1),
        session("a", 9, 60, 300_000),
        session("a", 90, 0.01, 0),
    ]
    made = utilization(sessions, [connector("a", rated_w=1000)], START, END, "UTC")
    assert made.doubts.errors == {"no_time": 1, "backwards": 1, "unknown_connector": 1, "outside": 1}
    assert made.doubts.warnings == {"much_energy": 1, "long_plugged": 1, "over_rating": 1, "no_energy": 1, "short": 1}
    assert made.doubts.sessions == 6
    assert made.network.sessions == 2


def test_ranking_leaves_out_what_is_not_known() -> None:
    """Highest first."""
    made = utilization([session("a", 0, 10), session("b", 0, 5)], [connector("a"), connector("b")], START, END, "UTC")
    assert list(ranked(made.connectors, "occupied")) == ["a/1", "b/1"]
    assert ranked(made.connectors, "capacity_factor") == {}


def test_an_empty_period_is_refused() -> None:
    """It ends after it begins."""
    with pytest.raises(ValueError, match="begins before it ends"):
        utilization([], [], END, START, "UTC")
