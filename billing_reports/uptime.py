"""How much of its time a port was up. Decided here: what an outage is, what of it is excluded, and the formulas.

A port is an EVSE: it is up while one of its connectors is proven usable or in use (`Timeline.up`). Everything else of its time in
service is outage, whatever the cause: faulted, out of service, not connected, or simply not known. Exclusions are intersected with
the outage. Two figures are given, because the rule knows only one and it suits no port younger than a year:

- literal: 23 CFR 680.116(b), ((525,600 - (T_outage - T_excluded)) / 525,600) x 100 over twelve months, also in leap years;
- in service: the same with the minutes that the port was in service as denominator, by month and over twelve months.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.exclusion import Exclusion, Reason
from billing_reports.intervals import NOTHING, Intervals, clip, instants, intersect, joined, minutes, subtract, union
from billing_reports.timeline import Timeline
from chargenet.model.record import microseconds

YEAR_MINUTES = 525_600
REQUIRED = 0.97
"""Average annual uptime must be greater than this."""
CAUSES = ("faulted", "unavailable", "offline", "unknown")
"""In the order in which a cause wins where several hold."""


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """An EVSE in service."""

    charge_point_id: str
    evse_id: int
    port_id: str
    """As authorities know it; by default `charge point/EVSE`."""
    station_id: str = ""
    site: str = ""
    commissioned_at: datetime
    decommissioned_at: datetime | None = None
    closed: tuple[tuple[datetime, datetime], ...] = ()
    """Outside its hours of operation: excluded where it is an outage."""


class ExcludedPart(msgspec.Struct, frozen=True, kw_only=True):
    """What one exclusion takes out of one outage."""

    reason: Reason
    minutes: float
    exclusion_id: int
    """0: outside the hours of operation."""
    evidence: str


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch in which the port was not up."""

    began_at: datetime
    ended_at: datetime
    minutes: float
    causes: dict[str, float]
    """Cause → minutes; they add up to `minutes`."""
    excluded: tuple[ExcludedPart, ...]
    excluded_minutes: float
    """Of the union of what is excluded: never counted twice."""
    sequences: tuple[int, ...] = ()
    """Journal records that say so."""


class UptimePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """A month, or twelve. Minutes."""

    name: str
    """YYYY-MM, or `12 months to YYYY-MM`."""
    start: datetime
    end: datetime
    in_service: float
    outage: float
    excluded: float
    causes: dict[str, float]

    @property
    def uptime(self) -> float | None:
        """Share of the minutes in service, 0 to 1; None where there were none."""
        return (self.in_service - (self.outage - self.excluded)) / self.in_service if self.in_service else None

    @property
    def literal(self) -> float:
        """The rule's own formula over 525,600 minutes, 0 to 1; it speaks of twelve months and of nothing else."""
        return (YEAR_MINUTES - (self.outage - self.excluded)) / YEAR_MINUTES


class PortUptime(msgspec.Struct, frozen=True, kw_only=True):
    """One port."""

    port: Port
    months: tuple[UptimePeriod, ...]
    year: UptimePeriod
    """The twelve months up to the end of the report."""
    outages: tuple[Outage, ...]
    """Of the reported months, in order."""

    @property
    def meets(self) -> bool | None:
        """Whether the twelve months are above 97 % of the minutes in service; None where it was never in service."""
        share = self.year.uptime
        return None if share is None else share > REQUIRED


class PortTime(msgspec.Struct, frozen=True, kw_only=True):
    """Sets of time of one port, as `timeline` gives them for its connectors."""

    up: Intervals
    causes: Mapping[str, Intervals]
    """Of CAUSES; where none of them holds, the time is unknown."""
    marks: tuple[tuple[int, int], ...] = ()
    """(microseconds, journal sequence) of the reports behind it."""


def port_time(lines: Sequence[Timeline], marks: Iterable[tuple[datetime, int]] = ()) -> PortTime:
    """A port is up while one of its connectors is; it has a cause where one of them has it and none is up."""
    up = joined(*(line.up for line in lines))
    causes = {
        "faulted": joined(*(line.faulted for line in lines)),
        "unavailable": joined(*(line.unavailable for line in lines)),
        "offline": joined(*(line.offline for line in lines)),
    }
    return PortTime(up=up, causes=causes, marks=tuple((microseconds(at), sequence) for at, sequence in marks))


def uptime(
    port: Port, time: PortTime, exclusions: Sequence[Exclusion], months: Sequence[date], until: datetime, time_zone: str
) -> PortUptime:
    """The port in each of `months` (first days, in order) and in the twelve months to the end of the last.

    `until`: now; what lies after it is nobody's outage. Raises ValueError without months.
    """
    if not months:
        raise ValueError("an uptime report has at least one month")
    zone = ZoneInfo(time_zone)
    world = _World(port, time, exclusions, until)
    periods = [world.period(f"{month:%Y-%m}", _start(month, zone), _start(next_month(month), zone)) for month in months]
    last = next_month(months[-1])
    year = world.period(f"12 months to {months[-1]:%Y-%m}", _start(last.replace(year=last.year - 1), zone), _start(last, zone))
    return PortUptime(port=port, months=tuple(periods), year=year, outages=tuple(world.outages(periods[0].start, periods[-1].end)))


def next_month(month: date) -> date:
    """First day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """First days of the months from that of `first` to that of `last`."""
    found = [first.replace(day=1)]
    while found[-1] < last.replace(day=1):
        found.append(next_month(found[-1]))
    return found


def _start(month: date, zone: ZoneInfo) -> datetime:
    return datetime(month.year, month.month, 1, tzinfo=zone)


class _World:
    """The port's sets of time, cut to its service."""

    def __init__(self, port: Port, time: PortTime, exclusions: Sequence[Exclusion], until: datetime) -> None:
        end = until if port.decommissioned_at is None else min(until, port.decommissioned_at)
        self.service = union([(microseconds(port.commissioned_at), microseconds(end))])
        self.outage = subtract(self.service, time.up)
        self._causes = self._causes_of(time)
        self._marks = sorted(time.marks)
        mine = [each for each in exclusions if each.covers(port.site, port.charge_point_id, port.evse_id)]
        self._exclusions = [(_about(each), union([(microseconds(each.began_at), microseconds(each.ended_at))])) for each in mine]
        if port.closed:
            closed = union((microseconds(start), microseconds(end)) for start, end in port.closed)
            about = ExcludedPart(reason=Reason.HOURS, minutes=0, exclusion_id=0, evidence="the station's hours of operation")
            self._exclusions.append((about, closed))
        self.excluded = intersect(self.outage, joined(*(found for _, found in self._exclusions)))

    def _causes_of(self, time: PortTime) -> dict[str, Intervals]:
        rest, causes = self.outage, {}
        for cause in CAUSES[:-1]:
            causes[cause] = intersect(rest, time.causes.get(cause, NOTHING))
            rest = subtract(rest, causes[cause])
        return causes | {"unknown": rest}

    def period(self, name: str, start: datetime, end: datetime) -> UptimePeriod:
        first, last = microseconds(start), microseconds(end)
        return UptimePeriod(
            name=name,
            start=start,
            end=end,
            in_service=minutes(clip(self.service, first, last)),
            outage=minutes(clip(self.outage, first, last)),
            excluded=minutes(clip(self.excluded, first, last)),
            causes={cause: minutes(clip(found, first, last)) for cause, found in self._causes.items()},
        )

    def outages(self, start: datetime, end: datetime) -> Iterable[Outage]:
        for piece in clip(self.outage, microseconds(start), microseconds(end)):
            whole: Intervals = (piece,)
            parts = [(about, intersect(whole, found)) for about, found in self._exclusions]
            excluded = [msgspec.structs.replace(about, minutes=minutes(found)) for about, found in parts if found]
            causes = {cause: minutes(intersect(whole, found)) for cause, found in self._causes.items()}
            [(began_at, ended_at)] = instants(whole)
            yield Outage(
                began_at=began_at,
                ended_at=ended_at,
                minutes=minutes(whole),
                causes={cause: value for cause, value in causes.items() if value},
                excluded=tuple(excluded),
                excluded_minutes=minutes(joined(*(found for _, found in parts))),
                sequences=tuple(sequence for at, sequence in self._marks if piece[0] <= at < piece[1])[:20],
            )


def _about(exclusion: Exclusion) -> ExcludedPart:
    return ExcludedPart(reason=exclusion.reason, minutes=0, exclusion_id=exclusion.exclusion_id, evidence=exclusion.evidence)


def network_uptime(ports: Sequence[PortUptime], index: int | None = None) -> float | None:
    """Over all ports, recomputed from their minutes: month `index`, or None for the twelve months."""
    periods = [each.year if index is None else each.months[index] for each in ports]
    service = sum(each.in_service for each in periods)
    return (service - sum(each.outage - each.excluded for each in periods)) / service if service else None
