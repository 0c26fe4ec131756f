"""Scheduled reports: which period is due, and that each is told once with its file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from billing_reports.delivery import Delivery, due, last_period
from billing_reports.formats import report_file
from billing_reports.nevi import last_quarter, period_name
from billing_reports.opening_hours import closed, parse
from billing_reports.report_desk import ReportDesk
from billing_reports.report_facts import FactReader
from billing_reports.report_store import Schedule
from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.report_memory import MemoryReports
from billing_reports.storage.rollup_memory import MemoryRollups
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.model.notice import Notice
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores
from collector.interpret import interpret
from tests.support.reports import POINT, Story, minute

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)  # a Wednesday


def schedule(**more: object) -> Schedule:
    """Daily, as CSV, made two days ago."""
    base = Schedule(
        schedule_id="daily", kind="utilization", format="csv", every="day", receiver="managers", created_at=NOW - timedelta(days=2),
        created_by="ops",
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


def kept(path: str) -> tuple[str, int]:
    """Content and mode of a file."""
    return Path(path).read_text("utf-8-sig"), Path(path).stat().st_mode


class Heard:
    """Notices, or a relay that cannot store them."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.problem = False

    async def tell(self, notices: Sequence[Notice]) -> None:
        """See `ports.Notices`."""
        if self.problem:
            raise StoreUnavailable("sql", "down")
        self.notices += notices


class LostPast(MemoryJournal):
    """A journal that retention has emptied."""

    @property
    def first_sequence(self) -> int:
        return 10

    @property
    def durable_sequence(self) -> int:
        return 9


class World:
    """A desk over two days of one connector, and a delivery from it."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.store, self.heard = FrozenClock(NOW), MemoryReports(), Heard()
        self.rollups = MemoryRollups()
        facts = FactReader(LostPast(), interpret)
        self.desk = ReportDesk(self.rollups, self.store, MemoryStores(), self.clock, lambda _: "harbour", facts)
        self.delivery = Delivery(self.desk, self.heard, self.clock, folder / "reports")

    async def lived(self) -> World:
        """Facts of 2 March."""
        story = Story().opened(0).status(0, "Available").status(600, "Faulted").status(660, "Available")
        await RollupProjection(self.rollups).apply(story.facts, len(story.facts))
        return self


@pytest.fixture
async def world(tmp_path: Path) -> World:
    """Ready."""
    return await World(tmp_path).lived()


@pytest.mark.parametrize(
    ("every", "first", "last"),
    [
        ("day", date(2026, 3, 3), date(2026, 3, 3)),
        ("week", date(2026, 2, 23), date(2026, 3, 1)),
        ("month", date(2026, 2, 1), date(2026, 2, 28)),
        ("quarter", date(2025, 10, 1), date(2025, 12, 31)),
    ],
)
def test_the_last_whole_period(every: str, first: date, last: date) -> None:
    """A day, a week from Monday to Sunday, a month; none that still runs."""
    found = last_period(every, "UTC", NOW)
    assert (found.first, found.last) == (first, last)


def test_periods_are_local() -> None:
    """At 23:30 UTC it is tomorrow in Berlin already; the day that ended is today's."""
    found = last_period("day", "Europe/Berlin", datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
    assert found.last == date(2026, 3, 4)
    assert found.ended_at.astimezone(UTC) == datetime(2026, 3, 4, 23, tzinfo=UTC)


def test_what_is_due() -> None:
    """What ended after the schedule was made, once, while it is enabled."""
    assert due(schedule(), NOW) is not None
    assert due(schedule(created_at=NOW), NOW) is None
    assert due(schedule(delivered_upto=datetime(2026, 3, 4, tzinfo=UTC)), NOW) is None
    assert due(schedule(delivered_upto=datetime(2026, 3, 3, tzinfo=UTC)), NOW) is not None
    assert due(schedule(enabled=False), NOW) is None


async def test_a_report_is_delivered_once(world: World) -> None:
    """Its notice has the file, its key the period, its labels the receiver; nobody's token is in it."""
    await world.store.put_schedule(schedule())
    assert (await world.delivery.look(), await world.delivery.look()) == (1, 0)
    [notice] = world.heard.notices
    assert notice.key == "report-daily-2026-03-03-2026-03-03"
    assert notice.labels == {"report": "utilization", "schedule": "daily", "receiver": "managers"}
    assert notice.resolved_at == notice.began_at
    [attached] = notice.attachments
    assert (attached.name, attached.media_type) == ("daily-utilization-2026-03-03-2026-03-03.csv", "text/csv")
    body, mode = kept(attached.path)
    assert f"{POINT}/1" in body
    assert mode & 0o077 == 0


async def test_what_was_not_told_is_told_later(world: World) -> None:
    """A relay that is down loses nothing."""
    await world.store.put_schedule(schedule())
    world.heard.problem = True
    with pytest.raises(StoreUnavailable):
        await world.delivery.look()
    world.heard.problem = False
    assert await world.delivery.look() == 1


async def test_one_that_cannot_be_made_keeps_nobody_waiting(world: World) -> None:
    """Session quality needs the journal of the period, and this journal has lost it; the other report is delivered."""
    await world.store.put_schedule(schedule(schedule_id="a", kind="sessions"))
    await world.store.put_schedule(schedule(schedule_id="b"))
    assert await world.delivery.look() == 1
    assert [notice.labels["schedule"] for notice in world.heard.notices] == ["b"]


async def test_delivering_now(world: World) -> None:
    """Again, with the same key: the relay knows it as the same thing. Unknown schedules are named."""
    await world.store.put_schedule(schedule())
    await world.delivery.deliver_now("daily")
    await world.delivery.deliver_now("daily")
    assert len({notice.key for notice in world.heard.notices}) == 1
    with pytest.raises(NotFound, match="schedule 'weekly' is not known"):
        await world.delivery.deliver_now("weekly")
    nobody = Delivery(world.desk, None, world.clock, Path("nowhere"))
    with pytest.raises(Conflict, match="nobody can be told"):
        await nobody.deliver_now("daily")


async def test_the_desk_knows_ports_and_their_outages(world: World) -> None:
    """An hour of fault on 2 March is an hour of outage in its uptime."""
    report = await world.desk.uptime([date(2026, 3, 1)], "UTC")
    [port] = report.ports
    assert (port.port.port_id, port.port.site) == (f"{POINT}/1", "harbour")
    assert (port.months[0].outage, port.months[0].causes["faulted"]) == (60, 60)
    assert port.months[0].in_service == (NOW - minute(0)).total_seconds() / 60
    assert (await world.desk.uptime([date(2026, 3, 1)], "UTC", "elsewhere")).ports == ()
    with pytest.raises(Conflict, match="2026-04 is still to come"):
        await world.desk.uptime([date(2026, 4, 1)], "UTC")


async def test_a_period_of_the_future_is_refused(world: World) -> None:
    """And one that ends before it begins."""
    with pytest.raises(Conflict, match="still to come"):
        await world.desk.utilization(NOW + timedelta(days=1), NOW + timedelta(days=2), "UTC")
    with pytest.raises(Conflict, match="begins before it ends"):
        await world.desk.utilization(NOW, NOW - timedelta(days=2), "UTC")


def test_hours_of_operation() -> None:
    """Open from Monday to Friday, and on Saturday over midnight: the rest is closed."""
    week = "Mo-Fr 06:00-22:00; Sa 10:00-02:00"
    shut = closed(week, minute(0), minute(7 * 1440), ZoneInfo("UTC"))  # begins on a Monday
    hours = [((start - minute(0)).total_seconds() / 3600, (end - minute(0)).total_seconds() / 3600) for start, end in shut]
    assert hours == [(0, 6), (22, 30), (46, 54), (70, 78), (94, 102), (118, 130), (146, 168)]
    assert closed("", minute(0), minute(1440), ZoneInfo("UTC")) == []


@pytest.mark.parametrize(
    ("hours", "sentence"),
    [
        ("always", "'always' is not of the form Mo-Fr 06:00-22:00"),
        ("Mo-Xx 06:00-22:00", "has a day that is none; days are Mo, Tu"),
        ("Mo 06:00-25:00", "has a time that is none"),
    ],
)
def test_mistakes_in_hours(hours: str, sentence: str) -> None:
    """Each is named."""
    with pytest.raises(Conflict, match=sentence):
        parse(hours)


async def test_what_the_authority_is_told(world: World) -> None:
    """Of any days, by the months that they lie in; a quarter has its name; a port without sessions is there, with none."""
    report = await world.desk.nevi(date(2026, 3, 1), date(2026, 3, 3), "UTC", provider="net")
    assert report.period == "2026-03-01_2026-03-03"
    assert [(each.port_id, each.sessions) for each in report.ports] == [(f"{POINT}/1", 0)]
    assert report.uptime_csv.splitlines()[1].startswith(f"{POINT},{POINT}/1,net,2026-03-01T00:00:00Z")
    assert len(report.outages_csv.splitlines()) == 2
    quarter = await world.desk.nevi(date(2026, 1, 1), date(2026, 3, 31), "UTC")
    assert (quarter.period, len(quarter.uptime.months)) == ("2026-Q1", 3)
    with pytest.raises(Conflict, match="still to come"):
        await world.desk.nevi(date(2026, 4, 1), date(2026, 4, 30), "UTC")
    for form in ("pdf", "html", "csv", "json"):
        body = report_file(report, form, NOW, "de", "Netz")
        assert (b"%PDF" in body[:8]) if form == "pdf" else (f"{POINT}/1".encode() in body), form


@pytest.mark.parametrize(("today", "first", "last"), [
    (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
    (date(2026, 4, 1), date(2026, 1, 1), date(2026, 3, 31)),
    (date(2026, 12, 31), date(2026, 7, 1), date(2026, 9, 30)),
])  # fmt: skip
def test_the_last_whole_quarter(today: date, first: date, last: date) -> None:
    """Never the one that runs."""
    assert last_quarter(today) == (first, last)
    assert period_name(first, last) == f"{first.year}-Q{(first.month + 2) // 3}"


async def test_only_what_was_delivered_is_a_file(world: World, tmp_path: Path) -> None:
    """By its name alone: no way leads out of the folder."""
    (tmp_path / "secret.pdf").write_bytes(b"x")
    await world.store.put_schedule(schedule())
    await world.delivery.look()
    assert f"{POINT}/1".encode() in world.delivery.file("daily-utilization-2026-03-03-2026-03-03.csv")
    for name in ("../secret.pdf", "secret.pdf", "", "..", "daily-utilization-2026-03-03-2026-03-03.csv.partial"):
        with pytest.raises(NotFound):
            world.delivery.file(name)
