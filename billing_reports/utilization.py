"""How much connectors are used. Decided here: every figure of the utilization report, from sessions and never from averages.

Occupied utilization = plugged time / open time; charging utilization = charging time / open time; idle = occupied - charging;
capacity factor = energy / (rated power x open time); congestion = time in which every open connector of a site is occupied / time
in which the site is open (Atlas EV Charging Use Specification). Groups are recomputed from their sessions and connectors: the
average over a network is not the average of its sites' averages. Overlapping sessions of one connector occupy it once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.intervals import SECOND_US, Intervals, clip, intersect, joined, subtract, total, union
from billing_reports.quality import Doubts, examine
from billing_reports.report_session import ReportConnector, ReportSession
from billing_reports.use_grid import Grid, Month, grid_of, months_of
from chargenet.model.record import microseconds

Key = tuple[str, str]


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a group of connectors in the period. Ratios are 0 to 1; None: cannot be known."""

    name: str
    connectors: int
    sessions: int
    """That began in the period."""
    energy_wh: int
    open_s: int
    occupied_s: int
    charging_s: int | None
    """None unless the charging time of every session is known."""
    charging_known: int
    """Sessions of which it is known."""
    occupied: float | None
    charging: float | None
    idle: float | None
    capacity_factor: float | None
    """Over the connectors with a rated power."""
    congestion: float | None
    sessions_per_day: float | None
    """Per connector and day."""
    energy_per_session_wh: float | None
    energy_median_wh: float | None
    plugged_median_s: float | None
    users: int | None
    """Distinct ones; None where nobody was named."""
    revenue: dict[str, Decimal]
    days_used: int
    """Local days with at least one session."""
    unused: tuple[str, ...]
    """Connectors without a session."""
    low_energy: int
    """Sessions with less than 0.5 kWh."""


class UtilizationReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report. Groups in order of name, connectors from most to least used."""

    start: datetime
    end: datetime
    time_zone: str
    network: Use
    sites: tuple[Use, ...]
    models: tuple[Use, ...]
    connectors: tuple[Use, ...]
    grid: Grid
    months: tuple[Month, ...]
    doubts: Doubts


def utilization(
    sessions: Sequence[ReportSession], connectors: Sequence[ReportConnector], start: datetime, end: datetime, time_zone: str
) -> UtilizationReport:
    """The report for [start, end). Time is cut at its ends; a session's energy counts by the share of its time inside.

    Raises ValueError on an empty period.
    """
    if start >= end:
        raise ValueError("the period of a report begins before it ends")
    kept, doubts = examine(sessions, connectors, start, end)
    world = _World(kept, connectors, start, end, time_zone)
    everything = [each.key for each in connectors]
    by_site: dict[str, list[Key]] = defaultdict(list)
    by_model: dict[str, list[Key]] = defaultdict(list)
    for each in connectors:
        by_site[each.site].append(each.key)
        by_model[each.model].append(each.key)
    single = [world.use(world.connectors[key].name, [key]) for key in everything]
    return UtilizationReport(
        start=start,
        end=end,
        time_zone=time_zone,
        network=world.use("network", everything),
        sites=tuple(world.use(name, keys) for name, keys in sorted(by_site.items())),
        models=tuple(world.use(name, keys) for name, keys in sorted(by_model.items())),
        connectors=tuple(sorted(single, key=lambda use: (-(use.occupied or 0.0), use.name))),
        grid=grid_of(world.occupied.values(), world.open.values(), start, end, time_zone),
        months=months_of(kept, world.occupied.values(), world.open.values(), start, end, time_zone),
        doubts=doubts,
    )


class _World:
    """Sessions by connector, and the sets of time that all groups are made of."""

    def __init__(
        self,
        sessions: Sequence[ReportSession],
        connectors: Sequence[ReportConnector],
        start: datetime,
        end: datetime,
        time_zone: str,
    ) -> None:
        self._start, self._end = microseconds(start), microseconds(end)
        self._grid_zone = time_zone
        self.connectors = {each.key: each for each in connectors}
        self._sessions: dict[Key, list[ReportSession]] = defaultdict(list)
        for session in sessions:
            self._sessions[session.charge_point_id, session.connector].append(session)
        self.open: dict[Key, Intervals] = {key: self._open(each) for key, each in self.connectors.items()}
        self.occupied: dict[Key, Intervals] = {key: intersect(self._plugged(key), self.open[key]) for key in self.connectors}

    def _open(self, connector: ReportConnector) -> Intervals:
        return clip(union([(microseconds(connector.open_from), microseconds(connector.open_until))]), self._start, self._end)

    def _plugged(self, key: Key) -> Intervals:
        return union((microseconds(each.began_at), microseconds(each.ended_at)) for each in self._sessions[key])

    def use(self, name: str, keys: Sequence[Key]) -> Use:
        """The figures of these connectors."""
        sessions = [session for key in keys for session in self._sessions[key]]
        began = [each for each in sessions if microseconds(each.began_at) >= self._start]
        open_s = sum(total(self.open[key]) for key in keys) // SECOND_US
        occupied_s = sum(total(self.occupied[key]) for key in keys) // SECOND_US
        known = [each for each in sessions if each.charging_s is not None]
        charging_s = None if len(known) < len(sessions) else min(sum(self._charging(each) for each in known), occupied_s)
        energies = [each.energy_wh for each in began]
        users = {each.user for each in began if each.user}
        revenue: dict[str, Decimal] = {}
        for each in began:
            if each.revenue is not None:
                revenue[each.currency] = revenue.get(each.currency, Decimal(0)) + each.revenue
        occupied, charging = _ratio(occupied_s, open_s), None if charging_s is None else _ratio(charging_s, open_s)
        return Use(
            name=name,
            connectors=len(keys),
            sessions=len(began),
            energy_wh=sum(self._energy(each) for each in sessions),
            open_s=open_s,
            occupied_s=occupied_s,
            charging_s=charging_s,
            charging_known=len(known),
            occupied=occupied,
            charging=charging,
            idle=None if charging_s is None else _ratio(occupied_s - charging_s, open_s),
            capacity_factor=self._capacity(keys),
            congestion=self._congestion(keys),
            sessions_per_day=_ratio(len(began) * 86_400, open_s),
            energy_per_session_wh=_ratio(sum(energies), len(energies)),
            energy_median_wh=float(median(energies)) if energies else None,
            plugged_median_s=float(median(each.plugged_s for each in began)) if began else None,
            users=len(users) if users else None,
            revenue=revenue,
            days_used=len({each.began_at.astimezone(_zone(self._grid_zone)).date() for each in began}),
            unused=tuple(sorted(self.connectors[key].name for key in keys if not self._sessions[key])),
            low_energy=sum(each.energy_wh < 500 for each in began),
        )

    def _share(self, session: ReportSession) -> tuple[int, int]:
        """Microseconds inside the period, and of the whole session."""
        first, last = microseconds(session.began_at), microseconds(session.ended_at)
        return min(last, self._end) - max(first, self._start), last - first

    def _energy(self, session: ReportSession) -> int:
        inside, whole = self._share(session)
        return session.energy_wh * inside // whole

    def _charging(self, session: ReportSession) -> int:
        inside, whole = self._share(session)
        return min(session.charging_s or 0, whole // SECOND_US) * inside // whole

    def _capacity(self, keys: Sequence[Key]) -> float | None:
        rated = [key for key in keys if self.connectors[key].rated_w]
        energy = sum(self._energy(each) for key in rated for each in self._sessions[key])
        possible_ws = sum((self.connectors[key].rated_w or 0) * (total(self.open[key]) // SECOND_US) for key in rated)
        return _ratio(energy * 3600, possible_ws)

    def _congestion(self, keys: Sequence[Key]) -> float | None:
        """Per site, weighted by the time that each is open: of several sites it is never their average."""
        sites: dict[str, list[Key]] = defaultdict(list)
        for key in keys:
            sites[self.connectors[key].site].append(key)
        busy = opened = 0
        for site in sites.values():
            somewhere = joined(*(self.open[key] for key in site))
            free = joined(*(subtract(self.open[key], self.occupied[key]) for key in site))
            busy += total(subtract(somewhere, free))
            opened += total(somewhere)
        return _ratio(busy, opened)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def ranked(uses: Sequence[Use], by: str) -> Mapping[str, float]:
    """Name → figure `by`, highest first, those without it left out."""
    found = {use.name: value for use in uses if (value := getattr(use, by)) is not None}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
