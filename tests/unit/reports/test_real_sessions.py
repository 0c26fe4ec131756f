"""Two public data sets, read by the maps that the documentation shows: an independent count agrees with the report."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from billing_reports.import_map import ImportMap, read_map
from billing_reports.importing import ImportedSession, Reject, connectors_of, read_sessions
from billing_reports.utilization import utilization
from tests.conftest import DATA

ROOT = Path(__file__).resolve().parents[3]
Load = Callable[[str], tuple[ImportMap, list[ImportedSession], list[Reject], Path]]

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def load() -> Load:
    """A data set by its name."""

    def made(name: str) -> tuple[ImportMap, list[ImportedSession], list[Reject], Path]:
        map_ = read_map((ROOT / "docs" / "import-maps" / f"{name}.toml").read_bytes(), f"{name}.toml")
        file = DATA / f"sessions-{name}.csv"
        with file.open(encoding=map_.encoding, newline="") as lines:
            items = list(read_sessions(lines, map_, file.name))
        good = [each for each in items if isinstance(each, ImportedSession)]
        return map_, good, [each for each in items if isinstance(each, Reject)], file

    return made


def test_perth(load: Load) -> None:
    """Rows without an end and negative energies are rejected and nothing else; energy and sessions of a year agree."""
    map_, good, bad, file = load("perth")
    reasons = Counter(each.reason for each in bad)
    assert reasons == {"ended is missing": 185, "energy is negative": 7, "ends before it begins": 1}
    assert len(good) + len(bad) == 66_664
    zone = ZoneInfo(map_.time_zone)
    start, end = datetime(2018, 1, 1, tzinfo=zone), datetime(2019, 1, 1, tzinfo=zone)
    year = [each for each in good if start <= each.began_at.astimezone(zone) < end and each.ended_at <= end.astimezone(UTC)]
    report = utilization(year, connectors_of(year, start, end), start, end, map_.time_zone)
    with file.open(newline="") as lines:
        rows = [
            row
            for row in csv.DictReader(lines)
            if row["started_at"].startswith("2018") and row["stopped_at"] > row["started_at"] and row["stopped_at"] < "2019"
        ]
    whole = sum(int((Decimal(row["energy_kwh"]) * 1000).to_integral_value()) for row in rows if Decimal(row["energy_kwh"]) >= 0)
    assert abs(report.network.sessions - len(rows)) <= 20  # sessions in the hour that comes twice, and negative ones
    assert abs(report.network.energy_wh - whole) <= whole // 1000
    assert len(report.sites) == 13
    assert sum(site.sessions for site in report.sites) == report.network.sessions == sum(each.sessions for each in report.months)


def test_norway(load: Load) -> None:
    """Decimal commas; 34 rows and four more have no end; nights are the busiest, as in home garages they must be."""
    map_, good, bad, _ = load("norway")
    assert (len(good), len(bad)) == (35_339, 38)
    assert {each.reason for each in bad} == {"ended: 'NA' is no time of the form iso"}
    zone = ZoneInfo(map_.time_zone)
    start, end = datetime(2019, 1, 1, tzinfo=zone), datetime(2020, 1, 1, tzinfo=zone)
    year = [each for each in good if each.began_at < end and each.ended_at > start]
    report = utilization(year, connectors_of(year, start, end), start, end, map_.time_zone)
    assert report.grid.peak_hour is not None
    assert report.grid.peak_hour in range(7)
    night, noon = report.grid.occupied[1][3], report.grid.occupied[1][12]
    assert night is not None
    assert noon is not None
    assert night > noon
    assert report.network.users == len({each.user for each in year if each.began_at >= start})
