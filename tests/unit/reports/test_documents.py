"""Reports as PDF, HTML, CSV and JSON: what stands on them is what the report says."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from billing_reports.formats import QualityReport, Report, report_file
from billing_reports.kpi import KpiCount
from billing_reports.report_session import ReportConnector
from billing_reports.uptime import uptime
from billing_reports.uptime_report import uptime_report
from billing_reports.utilization import utilization
from tests.unit.billing.test_statement_documents import text_of
from tests.unit.reports.test_uptime import APRIL, PORT, excluded, up_but
from tests.unit.reports.test_utilization import END, START, connector, session

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)


def use(days: int = 7) -> Report:
    """Three connectors at two sites, one of them unused, one name that is a formula."""
    end = START + timedelta(days=days)
    places = [connector("a", "Harbour"), connector("b", "=Harbour & <Söhne>", "Łódź 50"), connector("c", "Harbour")]
    places = [msgspec.structs.replace(each, open_until=end) for each in places]
    sessions = [session("a", 8, 4, 22_000), session("a", 32, 8, 44_000), session("b", 9, 2), session("b", 20, 0)]
    return utilization(sessions, places, START, end, "Europe/Berlin")


def up() -> Report:
    """A port with two outages, one of them excluded in part."""
    made = uptime(PORT, up_but((100, 160), (5000, 9000)), [excluded(140, 740)], [date(2026, 3, 1)], APRIL, "UTC")
    return uptime_report([made], [date(2026, 3, 1)], "UTC", APRIL)


def quality() -> Report:
    """Two charge points."""
    good = KpiCount(start_attempts=10, deliveries=9, valid_stops=8, start_times_s=[20.0, 40.0])
    return QualityReport(start=START, end=END, time_zone="UTC", network=good, points={"CP-1": good, "CP-2": KpiCount()})


def test_the_utilization_report() -> None:
    """Its first figures, its sites, its unused connectors, its doubts; in either language."""
    text = text_of(report_file(use(), "pdf", NOW, "en", "Stromhafen"))
    for part in (
        "Utilization report", "Stromhafen · 2 March 2026 – 9 March 2026 · Europe/Berlin", "76.0 kWh", "2.8 %", "=Harbour & <Söhne>",
        "Łódź 50", "Day by day", "1 of 3 connectors had no session", "c/1", "lasts no time at all", "Page 1 of",
    ):  # fmt: skip
        assert part in text, part
    german = text_of(report_file(use(), "pdf", NOW, "de"))
    for part in ("Auslastungsbericht", "76,0 kWh", "2,8 %", "dauert gar nicht", "Tag für Tag"):
        assert part in german, part


@pytest.mark.parametrize(("days", "title"), [(1, "Hour by hour"), (30, "Day by day"), (100, "Month by month")])
def test_the_course_is_shown_at_the_scale_of_the_period(days: int, title: str) -> None:
    """Hours of a day, days of a month, months of a year."""
    assert title in text_of(report_file(use(days), "pdf", NOW))


def test_the_uptime_report() -> None:
    """Shares, causes, the rule to the letter, outages with their evidence."""
    text = text_of(report_file(up(), "pdf", NOW))
    for part in (
        "Uptime report",
        "March 2026",
        "90.95 %",
        "99.23 %",
        "67.7 h",
        "faulted",
        "utility interruption: notice 4711",
        "P1",
    ):
        assert part in text, part


def test_the_quality_report() -> None:
    """Shares and the counts that they come from."""
    text = text_of(report_file(quality(), "pdf", NOW))
    for part in ("90.0 %", "88.9 %", "80.0 %", "9 of 10 attempts delivered power", "20 s", "95 % within 40 s", "CP-1"):
        assert part in text, part


@pytest.mark.parametrize("make", [use, up, quality])
def test_html_stands_alone(make: object) -> None:
    """Nothing is fetched, markup in names is text, drawings have words."""
    page = report_file(make(), "html", NOW).decode()  # type: ignore[operator]
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert "src=" not in page
    assert "<Söhne>" not in page


def test_html_has_drawings_with_words() -> None:
    """For those who cannot see them."""
    page = report_file(use(), "html", NOW).decode()
    assert page.count("<svg") == page.count('role="img" aria-label="') >= 3


def test_csv() -> None:
    """A row per group; no cell is a formula."""
    rows = list(csv.DictReader(io.StringIO(report_file(use(), "csv", NOW).decode("utf-8-sig"))))
    assert [row["group"] for row in rows] == ["network", "site", "site", "model", "model", *["connector"] * 3]
    assert {row["name"] for row in rows if row["group"] == "site"} == {"'=Harbour & <Söhne>", "Harbour"}
    assert report_file(up(), "csv", NOW).decode("utf-8-sig").count("2026-03") >= 4
    assert b"CP-1,10,0,9,8" in report_file(quality(), "csv", NOW)


def test_json_is_the_report() -> None:
    """All of it."""
    found = json.loads(report_file(use(), "json", NOW))
    assert found["network"]["energy_wh"] == 76_000
    assert len(found["grid"]["occupied"]) == 7
    assert json.loads(report_file(up(), "json", NOW))["below"] == ["P1"]


def test_nothing_at_all_is_a_report_too() -> None:
    """No connector, no session: dashes, not errors."""
    empty = utilization([], [], START, END, "UTC")
    assert "–" in text_of(report_file(empty, "pdf", NOW))
    nothing: list[ReportConnector] = []
    assert utilization([], nothing, START, END, "UTC").network.occupied is None
    assert "None." in text_of(report_file(uptime_report([], [date(2026, 3, 1)], "UTC", APRIL), "pdf", NOW))
