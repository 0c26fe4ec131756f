"""Uptime of ports: outages, exclusions, causes, formulas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from billing_reports.evchart import outages_csv, quarter_months, uptime_csv
from billing_reports.exclusion import Exclusion, Reason, checked
from billing_reports.intervals import Intervals, union
from billing_reports.rollup_state import Span
from billing_reports.timeline import timeline
from billing_reports.uptime import Port, PortTime, PortUptime, months_between, network_uptime, port_time, uptime
from chargenet.errors import Conflict
from chargenet.model.record import microseconds
from tests.support.reports import Folded, Story, minute

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
PORT = Port(charge_point_id="CP-1", evse_id=1, port_id="P1", station_id="S1", site="harbour", commissioned_at=MARCH)
MINUTES = 31 * 24 * 60


def span(start_min: float, end_min: float, since: datetime = MARCH) -> tuple[int, int]:
    """Minutes after `since`."""
    return microseconds(since + timedelta(minutes=start_min)), microseconds(since + timedelta(minutes=end_min))


def up_but(*outages: tuple[float, float]) -> PortTime:
    """Up all March but for these minutes, faulted in them."""
    edges = [0.0, *(edge for outage in outages for edge in outage), float(MINUTES)]
    up = union(span(edges[index], edges[index + 1]) for index in range(0, len(edges), 2))
    return PortTime(up=up, causes={"faulted": union(span(*outage) for outage in outages)})


def excluded(start_min: float, end_min: float, reason: Reason = Reason.UTILITY, **more: object) -> Exclusion:
    """An exclusion of the site unless said otherwise."""
    base = Exclusion(
        exclusion_id=7, site_id="harbour", reason=reason, began_at=MARCH + timedelta(minutes=start_min),
        ended_at=MARCH + timedelta(minutes=end_min), evidence="notice 4711", created_at=APRIL, created_by="ops",
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


def march(time: PortTime, exclusions: Sequence[Exclusion] = (), port: Port = PORT) -> PortUptime:
    """The report for March, made in April."""
    return uptime(port, time, exclusions, [date(2026, 3, 1)], APRIL, "UTC")


def test_an_outage_is_what_is_not_up() -> None:
    """Minutes and the share that they leave, with the cause."""
    made = march(up_but((100, 160)))
    [month] = made.months
    assert (month.in_service, month.outage, month.excluded) == (MINUTES, 60, 0)
    assert month.uptime == (MINUTES - 60) / MINUTES
    assert month.causes == {"faulted": 60, "unavailable": 0, "offline": 0, "unknown": 0}


def test_exclusions_are_intersected() -> None:
    """Ten hours of a power cut exclude only the twenty minutes of it in which the port was not up."""
    [month] = march(up_but((100, 160)), [excluded(140, 740)]).months
    assert (month.outage, month.excluded) == (60, 20)


def test_exclusions_that_overlap_count_once() -> None:
    """Both stand under the outage as its evidence, but the minutes are those of their union."""
    made = march(up_but((100, 160)), [excluded(90, 130), excluded(120, 150, Reason.VANDALISM, exclusion_id=8)])
    [outage] = made.outages
    assert [(part.reason, part.minutes, part.exclusion_id) for part in outage.excluded] == [
        (Reason.UTILITY, 30, 7),
        (Reason.VANDALISM, 30, 8),
    ]
    assert (outage.minutes, outage.excluded_minutes, made.months[0].excluded) == (60, 50, 50)


@pytest.mark.parametrize(
    "other",
    [
        excluded(0, 500, withdrawn_at=APRIL),
        excluded(0, 500, site_id="elsewhere"),
        excluded(0, 500, site_id=None, charge_point_id="CP-2"),
        excluded(0, 500, site_id=None, charge_point_id="CP-1", evse_id=2),
    ],
)
def test_what_speaks_of_another_port_excludes_nothing(other: Exclusion) -> None:
    """Nor does what was withdrawn."""
    assert march(up_but((100, 160)), [other]).months[0].excluded == 0


def test_the_rule_to_the_letter() -> None:
    """525,600 minutes whatever was in service; beside it the figure over the minutes in service."""
    made = march(up_but((0, 1000)), [excluded(0, 400)])
    assert made.year.literal == (525_600 - 600) / 525_600
    assert made.year.uptime == (MINUTES - 600) / MINUTES
    assert made.year.in_service == MINUTES
    assert made.meets is True
    assert march(up_but((0, 2000))).meets is False


def test_nothing_known_is_not_up() -> None:
    """No data at all is outage of unknown cause for all of the time in service."""
    made = march(PortTime(up=(), causes={}))
    assert (made.months[0].uptime, made.months[0].causes["unknown"], made.meets) == (0, MINUTES, False)


def test_time_out_of_service_is_nobodys() -> None:
    """Before commissioning and after the end nothing counts; a month before it has no figure at all."""
    port = msgspec.structs.replace(
        PORT, commissioned_at=MARCH + timedelta(minutes=500), decommissioned_at=MARCH + timedelta(minutes=1500)
    )
    [month] = march(PortTime(up=(span(500, 1400),), causes={}), port=port).months
    assert (month.in_service, month.outage) == (1000, 100)
    made = uptime(port, PortTime(up=(), causes={}), [], [date(2026, 1, 1)], APRIL, "UTC")
    assert (made.months[0].uptime, made.months[0].in_service) == (None, 0)


def test_closed_hours_are_excluded() -> None:
    """Where the port was not up in them; in other hours they change nothing."""
    port = msgspec.structs.replace(PORT, closed=((MARCH, MARCH + timedelta(minutes=120)),))
    made = march(up_but((100, 160)), port=port)
    assert made.months[0].excluded == 20
    assert made.outages[0].excluded[0].reason == Reason.HOURS


def test_the_future_is_nobodys_outage() -> None:
    """A month that still runs counts up to now."""
    until = MARCH + timedelta(minutes=1000)
    made = uptime(PORT, PortTime(up=(span(0, 900),), causes={}), [], [date(2026, 3, 1)], until, "UTC")
    assert (made.months[0].in_service, made.months[0].outage) == (1000, 100)


def test_months_are_local() -> None:
    """March in Berlin has 743 hours: its clocks go forward."""
    early = msgspec.structs.replace(PORT, commissioned_at=datetime(2025, 1, 1, tzinfo=UTC))
    made = uptime(early, PortTime(up=(), causes={}), [], [date(2026, 3, 1)], datetime(2027, 1, 1, tzinfo=UTC), "Europe/Berlin")
    assert made.months[0].in_service == 743 * 60
    assert made.months[0].start.astimezone(UTC) == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert made.year.in_service == 365 * 24 * 60


def test_a_network_is_not_the_average_of_its_ports() -> None:
    """Minutes add up: a port that was in service for a day weighs a day."""
    young = msgspec.structs.replace(PORT, commissioned_at=MARCH + timedelta(minutes=MINUTES - 100))
    ports = [march(up_but()), march(PortTime(up=(), causes={}), port=young)]
    assert network_uptime(ports, 0) == MINUTES / (MINUTES + 100)
    assert network_uptime([]) is None


def test_from_facts_to_outage() -> None:
    """Connected and Available is up; Faulted, away, rebooting are not; a transaction told later proves use while away."""
    story = Story().opened(0).status(0, "Available").status(60, "Faulted", error="GroundFailure").status(90, "Available")
    story.closed(200).opened(400).start(401, "7", 0, said_at=250).stop(401, "7", 5000, said_at=300)
    folded = Folded(story.facts)
    spans: list[Span] = list(folded.emitted.spans.values())
    first, last = microseconds(minute(0)), microseconds(minute(600))
    line = timeline(spans, "1", minute(0), first, last)
    time = port_time([line], [(each.began_at, each.sequence) for each in spans])
    port = msgspec.structs.replace(PORT, commissioned_at=minute(0))
    made = uptime(port, time, [], [date(2026, 3, 1)], minute(600), "UTC")
    assert [(outage.minutes, outage.causes) for outage in made.outages] == [
        (30, {"faulted": 30}),
        (50, {"offline": 50}),
        (100, {"offline": 100}),
    ]
    assert made.outages[0].sequences == (3,)


def test_a_port_is_up_while_one_of_its_connectors_is() -> None:
    """Two plugs of one EVSE: the fault of one alone is no outage."""
    well: Intervals = (span(0, 100),)
    half: Intervals = (span(0, 50),)

    class Line:
        """What `port_time` reads of a timeline."""

        def __init__(self, up: Intervals, faulted: Intervals) -> None:
            self.up, self.faulted, self.unavailable, self.offline = up, faulted, (), ()

    time = port_time([Line(well, ()), Line(half, (span(50, 100),))])  # type: ignore[list-item]
    assert time.up == well


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ended_at": MARCH}, "an exclusion ends after it begins"),
        ({"evidence": "  "}, "an exclusion needs evidence"),
        ({"charge_point_id": "CP-1"}, "names a site or a charge point, and not both"),
        ({"site_id": None}, "names a site or a charge point, and not both"),
        ({"evse_id": 1}, "names its charge point"),
    ],
)
def test_an_exclusion_must_hold_up(wrong: dict[str, object], sentence: str) -> None:
    """It has a time, evidence and one scope."""
    with pytest.raises(Conflict, match=sentence):
        checked(msgspec.structs.replace(excluded(0, 10), **wrong))


def test_the_quarter_for_the_authority() -> None:
    """Three months per port, and each outage with its exclusion; columns as the templates want them."""
    made = uptime(PORT, up_but((100, 160)), [excluded(140, 740)], quarter_months(2026, 1), APRIL, "UTC")
    lines = uptime_csv([made], "net").splitlines()
    assert lines[0] == (
        "station_id,port_id,network_provider_upload,uptime_reporting_start,uptime_reporting_end,uptime,total_outage,total_outage_excl"
    )
    assert lines[1] == "S1,P1,net,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,,0.0,0.0"
    assert lines[3] == "S1,P1,net,2026-03-01T00:00:00Z,2026-04-01T00:00:00Z,99.91,60.0,20.0"
    assert outages_csv([made], "net").splitlines()[1] == (
        "S1,P1,2026-03-01T01:40:00Z,net,60.0,TRUE,1,utility_interruption: 20.0 min (notice 4711)"
    )
    with pytest.raises(ValueError, match="a quarter is 1, 2, 3 or 4"):
        quarter_months(2026, 5)


def test_months_from_one_to_another() -> None:
    """Over the end of a year."""
    assert months_between(date(2025, 11, 9), date(2026, 2, 1)) == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
