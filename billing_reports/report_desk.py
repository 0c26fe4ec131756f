"""Gathers what a report needs and makes it. Decided here: where sessions, connectors and ports come from; not one figure.

Sessions are the transactions that ended, with what their CDRs came to, and imported history. Connectors are those that were heard
of or that history names. Figures are worked out in a thread: a year of a large network takes seconds.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from billing_reports.exclusion import Exclusion
from billing_reports.formats import QualityReport
from billing_reports.importing import ImportedSession
from billing_reports.intervals import Intervals, clip, total
from billing_reports.kpi import VALID_STOPS, KpiCount, KpiFold
from billing_reports.nevi import NeviReport, nevi_report
from billing_reports.opening_hours import closed
from billing_reports.report_facts import FactReader
from billing_reports.report_session import ReportConnector, ReportSession
from billing_reports.report_store import PortRow, ReportStore, Revenue
from billing_reports.rollup_state import STATUS, PointState, Span
from billing_reports.rollup_store import RollupStore
from billing_reports.timeline import Timeline, timeline
from billing_reports.uptime import Port, PortUptime, months_between, next_month, port_time, uptime
from billing_reports.uptime_report import UptimeReport, uptime_report
from billing_reports.utilization import UtilizationReport, utilization
from chargenet.errors import Conflict
from chargenet.model.ids import IdToken, parse_label
from chargenet.model.record import microseconds
from chargenet.model.transaction import Transaction, TransactionState
from chargenet.ports import Clock
from chargenet.stores import MAX_LIMIT, Stores

LONGEST_SESSION = timedelta(days=31)
"""A transaction that began earlier than this before the period is not looked for."""
MOST_SESSIONS = 2_000_000
_POINTS = 50


class _Network(NamedTuple):
    """What stands where."""

    points: Mapping[str, PointState]
    models: Mapping[str, str]
    site_ids: Mapping[str, str]
    site_names: Mapping[str, str]
    ports: Mapping[tuple[str, int], PortRow]

    def site(self, charge_point_id: str) -> str:
        """Its site's name; the id where it has none, "" where nothing is known."""
        site_id = self.site_ids.get(charge_point_id, "")
        return self.site_names.get(site_id, site_id)


class ReportDesk:
    """One per process. `facts`: the journal by time."""

    def __init__(
        self,
        rollups: RollupStore,
        store: ReportStore,
        stores: Stores,
        clock: Clock,
        site_of: Callable[[str], str],
        facts: FactReader,
    ) -> None:
        self.rollups, self.store, self._stores, self._clock, self._site_of, self._facts = (
            rollups,
            store,
            stores,
            clock,
            site_of,
            facts,
        )

    async def utilization(self, start: datetime, end: datetime, time_zone: str, site_id: str | None = None) -> UtilizationReport:
        """Raises Conflict on a period that is empty or too large to be worked out."""
        end = _period(start, end, self._clock.now())
        network = await self._network()
        imported = await self.store.sessions(start, end)
        sessions = [*await self._transactions(start, end, site_id, network), *(imported if site_id is None else [])]
        first = await self.store.first_uses() if site_id is None else {}
        connectors = _connectors(network, imported if site_id is None else [], first, start, end, site_id)
        return await asyncio.to_thread(utilization, sessions, connectors, start, end, time_zone)

    async def sessions(self, start: datetime, end: datetime, site_id: str | None = None) -> list[ReportSession]:
        """Every session that overlaps the period."""
        end = _period(start, end, self._clock.now())
        imported = await self.store.sessions(start, end) if site_id is None else []
        found: list[ReportSession] = [*await self._transactions(start, end, site_id, await self._network()), *imported]
        return sorted(found, key=lambda each: (each.began_at, each.session_id))

    async def quality(self, start: datetime, end: datetime, time_zone: str, site_id: str | None = None) -> QualityReport:
        """ChargeX indicators over the journal's records of the period. Raises Conflict where the journal does not reach back."""
        end = _period(start, end, self._clock.now())
        folds: dict[str, KpiFold] = {}
        async for facts in self._facts.between(start, end):
            for fact in facts:
                if fact.charge_point_id and (site_id is None or self._site_of(fact.charge_point_id) == site_id):
                    folds.setdefault(fact.charge_point_id, KpiFold()).apply(fact)
        points = {name: fold.finish() for name, fold in sorted(folds.items())}
        network = KpiCount()
        for count in points.values():
            network.add(count)
        return QualityReport(start=start, end=end, time_zone=time_zone, network=network, points=points)

    async def ports(self) -> dict[tuple[str, int], Port]:
        """Every EVSE that was heard of, with what was entered about it."""
        network = await self._network()
        return {key: self._port(key, first_at, network) for key, first_at in sorted(_evses(network.points).items())}

    async def uptime(
        self, months: Sequence[date], time_zone: str, site_id: str | None = None, until: datetime | None = None
    ) -> UptimeReport:
        """Each port in these months and in the twelve months to their end; what lies after `until` (now) counts nowhere."""
        if not months:
            raise Conflict("an uptime report has at least one month")
        now, zone = self._clock.now(), ZoneInfo(time_zone)
        network = await self._network()
        last = next_month(months[-1])
        first = min(months[0], last.replace(year=last.year - 1))
        start, end = datetime(first.year, first.month, 1, tzinfo=zone), datetime(last.year, last.month, 1, tzinfo=zone)
        if datetime(months[0].year, months[0].month, 1, tzinfo=zone) >= now:
            raise Conflict(f"{months[0]:%Y-%m} is still to come")
        end = min(end, now if until is None else until)
        evses = {
            key: at for key, at in _evses(network.points).items() if site_id is None or network.site_ids.get(key[0]) == site_id
        }
        exclusions = await self.store.exclusions(start, end)
        found: list[PortUptime] = []
        names = sorted({name for name, _ in evses})
        for index in range(0, len(names), _POINTS):
            some = names[index : index + _POINTS]
            spans = _by_point(await self.rollups.spans(some, start, end))
            ports = [self._port(key, at, network) for key, at in sorted(evses.items()) if key[0] in some]
            found += await asyncio.to_thread(_uptimes, ports, spans, network, exclusions, months, start, end, time_zone)
        return uptime_report(found, months, time_zone, end)

    async def nevi(self, first: date, last: date, time_zone: str, site_id: str | None = None, *, provider: str = "") -> NeviReport:
        """What the authority is told of these local days. Raises Conflict on a period that is still to come."""
        zone = ZoneInfo(time_zone)
        after = last + timedelta(days=1)
        start, end = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, after))
        found = await self.sessions(start, end, site_id)
        uptime = await self.uptime(months_between(first, last), time_zone, site_id)
        return await asyncio.to_thread(nevi_report, first, last, time_zone, provider, uptime, found, await self.ports())

    # -- what they are made of

    async def _network(self) -> _Network:
        points = await self.rollups.points()
        models: dict[str, str] = {}
        cursor: str | None = None
        while True:
            page = await self._stores.stations.charge_points(cursor=cursor, limit=MAX_LIMIT)
            models |= {
                each.charge_point_id: " ".join(part for part in (each.state.vendor, each.state.model) if part)
                for each in page.items
            }
            if (cursor := page.next_cursor) is None:
                break
        names: dict[str, str] = {}
        while True:
            sites = await self._stores.sites.page(cursor=cursor, limit=MAX_LIMIT)
            names |= {each.site_id: each.name for each in sites.items}
            if (cursor := sites.next_cursor) is None:
                break
        ports = {(row.charge_point_id, row.evse_id): row for row in await self.store.ports()}
        return _Network(points, models, {name: self._site_of(name) for name in points}, names, ports)

    def _port(self, key: tuple[str, int], first_at: datetime, network: _Network) -> Port:
        row = network.ports.get(key)
        named = f"{key[0]}/{key[1]}"
        return Port(
            charge_point_id=key[0],
            evse_id=key[1],
            port_id=named if row is None else row.port_id,
            station_id=key[0] if row is None or not row.station_id else row.station_id,
            site=network.site_ids.get(key[0], ""),
            commissioned_at=first_at if row is None or row.commissioned_at is None else row.commissioned_at,
            decommissioned_at=None if row is None else row.decommissioned_at,
        )

    async def _transactions(self, start: datetime, end: datetime, site_id: str | None, network: _Network) -> list[ReportSession]:
        rows: list[Transaction] = []
        cursor: str | None = None
        while True:
            page = await self._stores.transactions.transactions(
                site_id=site_id, since=start - LONGEST_SESSION, until=end, cursor=cursor, limit=MAX_LIMIT
            )
            rows += [row for row in page.items if row.state != TransactionState.OPEN and _within(row, start)]
            if len(rows) > MOST_SESSIONS:
                raise Conflict(f"more than {MOST_SESSIONS} sessions: ask for a shorter period, or for one site")
            if (cursor := page.next_cursor) is None:
                break
        revenue = await self.store.revenue(start, end + LONGEST_SESSION)
        flowing: dict[tuple[str, str], Timeline] = {}
        names = sorted({row.charge_point_id for row in rows})
        for index in range(0, len(names), _POINTS):
            some = names[index : index + _POINTS]
            spans = _by_point(await self.rollups.spans(some, start - LONGEST_SESSION, end))
            flowing |= await asyncio.to_thread(_lines, some, spans, network.points, start - LONGEST_SESSION, end)
        return [_session(row, flowing.get((row.charge_point_id, row.connector or "")), revenue) for row in rows]


def _period(start: datetime, end: datetime, now: datetime) -> datetime:
    """What of the period has passed."""
    if start >= end:
        raise Conflict("the period of a report begins before it ends")
    if start >= now:
        raise Conflict("the period of the report is still to come")
    return min(end, now)


def _within(row: Transaction, start: datetime) -> bool:
    return row.began_at is not None and row.ended_at is not None and row.ended_at > start and row.connector is not None


def _by_point(spans: Iterable[Span]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        found[span.charge_point_id].append(span)
    return found


def _evses(points: Mapping[str, PointState]) -> dict[tuple[str, int], datetime]:
    """(charge point, EVSE) → when it was first heard of."""
    found: dict[tuple[str, int], datetime] = {}
    for name, state in points.items():
        for label, place in state.places.items():
            if label:
                key = (name, parse_label(label).evse_id)
                first = max(place.first_at, state.first_at)
                found[key] = min(first, found.get(key, first))
    return found


def _lines(
    names: Sequence[str], spans: Mapping[str, Sequence[Span]], points: Mapping[str, PointState], start: datetime, end: datetime
) -> dict[tuple[str, str], Timeline]:
    found: dict[tuple[str, str], Timeline] = {}
    for name in names:
        state = points.get(name)
        for label, place in state.places.items() if state is not None else ():
            if label:
                found[name, label] = timeline(spans.get(name, ()), label, place.first_at, microseconds(start), microseconds(end))
    return found


def _session(row: Transaction, line: Timeline | None, revenue: Mapping[tuple[str, str], Revenue]) -> ReportSession:
    assert row.began_at is not None
    assert row.ended_at is not None
    charging: Intervals = () if line is None else clip(line.charging, microseconds(row.began_at), microseconds(row.ended_at))
    energy_wh, paid = row.energy_wh or 0, revenue.get((row.charge_point_id, row.transaction_id))
    known = bool(charging) or energy_wh == 0
    reason = row.stop_reason
    return ReportSession(
        session_id=row.transaction_id,
        charge_point_id=row.charge_point_id,
        connector=row.connector or "",
        began_at=row.began_at,
        ended_at=row.ended_at,
        energy_wh=energy_wh,
        charging_s=total(charging) // 1_000_000 if known else None,
        revenue=None if paid is None else paid.amount,
        currency="" if paid is None else paid.currency,
        user="" if row.id_token is None else IdToken(row.id_token).hashed,
        successful=None if row.state == TransactionState.ESTIMATED else energy_wh > 0 and (reason is None or reason in VALID_STOPS),
        error_code="" if reason is None or reason in VALID_STOPS else reason,
    )


def _connectors(
    network: _Network,
    imported: Sequence[ImportedSession],
    first: Mapping[tuple[str, str], datetime],
    start: datetime,
    end: datetime,
    site_id: str | None,
) -> list[ReportConnector]:
    found: dict[tuple[str, str], ReportConnector] = {}
    for name, state in network.points.items():
        if site_id is not None and network.site_ids.get(name) != site_id:
            continue
        for label, place in state.places.items():
            row = network.ports.get((name, parse_label(label).evse_id)) if label else None
            heard = max(place.first_at, state.first_at)
            since = max(start, heard if row is None or row.commissioned_at is None else row.commissioned_at)
            until = end if row is None or row.decommissioned_at is None else min(end, row.decommissioned_at)
            if label and since < until:
                found[name, label] = ReportConnector(
                    charge_point_id=name, connector=label, site=network.site(name), model=network.models.get(name, ""),
                    rated_w=None if row is None else row.rated_w, open_from=since, open_until=until,
                )  # fmt: skip
    for each in imported:
        key = (each.charge_point_id, each.connector)
        if key not in found:
            row = network.ports.get((each.charge_point_id, parse_label(each.connector).evse_id))
            found[key] = ReportConnector(
                charge_point_id=each.charge_point_id, connector=each.connector, site=each.site, model=each.model,
                rated_w=each.rated_w if row is None or row.rated_w is None else row.rated_w,
                open_from=max(start, first.get(key, each.began_at)), open_until=end,
            )  # fmt: skip
    return [found[key] for key in sorted(found)]


def _uptimes(
    ports: Sequence[Port],
    spans: Mapping[str, Sequence[Span]],
    network: _Network,
    exclusions: Sequence[Exclusion],
    months: Sequence[date],
    start: datetime,
    end: datetime,
    time_zone: str,
) -> list[PortUptime]:
    first, last, zone = microseconds(start), microseconds(end), ZoneInfo(time_zone)
    made: list[PortUptime] = []
    for port in ports:
        mine = spans.get(port.charge_point_id, ())
        state = network.points[port.charge_point_id]
        labels = [label for label in state.places if label and parse_label(label).evse_id == port.evse_id]
        lines = [timeline(mine, label, state.places[label].first_at, first, last) for label in labels]
        marks = [
            (each.began_at, each.sequence) for each in mine if each.connector in ("", *labels) and each.layer in (STATUS, "link")
        ]
        row = network.ports.get((port.charge_point_id, port.evse_id))
        shut = tuple(closed(row.hours, start, end, zone)) if row is not None and row.hours else ()
        whole = msgspec.structs.replace(port, closed=shut)
        made.append(uptime(whole, port_time(lines, marks), exclusions, months, end, time_zone))
    return made
