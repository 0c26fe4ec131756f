"""The fleet, read from the stores for a plan. Decided here: which rows say what about a charge point, and how far back is read.

What the stores do not know (hardware, feature profiles, transfer protocols) stays unknown, and the plan says so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from chargenet.model.station import ChargePoint, ChargePointEvent
from chargenet.model.words import ConnectorStatus
from chargenet.ports import Clock
from chargenet.stores import MAX_LIMIT, Page, Stores
from firmware_orchestrator.exposure import Member
from firmware_orchestrator.fleet import FleetMember, connectivity, use_terciles

Row = TypeVar("Row")
PAGES = 200
"""At most so many pages of a history are read for a plan; what is older counts as unknown."""
USE_DAYS, ONLINE_DAYS = 28, 7


class Census:
    """Reads the fleet from the read models."""

    def __init__(self, stores: Stores, clock: Clock) -> None:
        self._stores, self._clock = stores, clock

    async def members(self) -> list[FleetMember]:
        """All charge points. Raises StoreUnavailable."""
        stations, now = self._stores.stations, self._clock.now()
        points = [each async for each in _all(stations.charge_points)]
        zones = {each.site_id: each.time_zone async for each in _all(self._stores.sites.page)}
        faulted = {
            each.charge_point_id async for each in _all(lambda **page: stations.connectors(status=ConnectorStatus.FAULTED, **page))
        }
        use = await self._use([each.charge_point_id for each in points], now)
        online = await self._online(points, now)
        return [
            FleetMember(
                charge_point_id=each.charge_point_id,
                registration=each.registration or "Accepted",
                site_id=each.site_id,
                time_zone=zones.get(each.site_id or ""),
                vendor=each.state.vendor,
                model=each.state.model,
                serial_number=each.state.serial_number,
                firmware_version=each.state.firmware_version,
                protocol=each.state.protocol,
                connected=each.state.connected,
                connectivity=connectivity(each.state.iccid, each.state.imsi),
                use=use.get(each.charge_point_id, "unknown"),
                online_share=online.get(each.charge_point_id),
                open_fault=each.charge_point_id in faulted,
            )
            for each in points
            if each.state.sequence
        ]

    async def baseline(self, members: Sequence[Member], at: datetime) -> list[Member]:
        """Every charge point weighs as much as any other: the bets then compare plain counts with plain time at risk."""
        return list(members)

    async def _use(self, names: Sequence[str], now: datetime) -> dict[str, str]:
        since = now - timedelta(days=USE_DAYS)
        counted: Counter[str] = Counter(dict.fromkeys(names, 0))
        transactions = self._stores.transactions.transactions
        async for each in _all(lambda **page: transactions(since=since, **page)):
            if each.charge_point_id in counted:
                counted[each.charge_point_id] += 1
        return use_terciles(counted)

    async def _online(self, points: Sequence[ChargePoint], now: datetime) -> dict[str, float]:
        since = now - timedelta(days=ONLINE_DAYS)
        changes: dict[str, list[ChargePointEvent]] = defaultdict(list)
        events = self._stores.stations.events
        for kind in ("connected", "disconnected"):
            async for each in _all(partial(events, kind=kind, since=since)):
                changes[each.charge_point_id].append(each)
        return {each.charge_point_id: _share(each, changes[each.charge_point_id], since, now) for each in points}


def _share(point: ChargePoint, changes: Sequence[ChargePointEvent], since: datetime, now: datetime) -> float:
    """Of the time since it was first seen, the part that it was connected."""
    began = max(since, point.state.first_seen_at or since)
    total = (now - began).total_seconds()
    if total <= 0:
        return 1.0 if point.state.connected else 0.0
    ordered = sorted(changes, key=lambda each: each.sequence)
    connected = (ordered[0].kind == "disconnected") if ordered else point.state.connected
    at, seconds = began, 0.0
    for each in ordered:
        if connected:
            seconds += max(0.0, (each.received_at - at).total_seconds())
        connected, at = each.kind == "connected", max(began, each.received_at)
    if connected:
        seconds += (now - at).total_seconds()
    return min(1.0, max(0.0, seconds / total))


async def _all(read: Callable[..., Awaitable[Page[Row]]]) -> AsyncIterator[Row]:
    cursor: str | None = None
    for _ in range(PAGES):
        page = await read(cursor=cursor, limit=MAX_LIMIT)
        for each in page.items:
            yield each
        if (cursor := page.next_cursor) is None:
            return
