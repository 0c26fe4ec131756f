"""The fleet, read from the stores for a plan. Decided here: which rows say what about a charge point, and how far back is read.

What the stores do not know (hardware, feature profiles, transfer protocols) stays unknown, and the plan says so.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar
from zlib import crc32

from chargenet.model.station import ChargePoint, ChargePointEvent
from chargenet.model.words import ConnectorStatus
from chargenet.ports import Clock, StateChange, States
from chargenet.stores import MAX_LIMIT, Page, Stores
from firmware_orchestrator.evidence.baseline import History
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.exposure import Member
from firmware_orchestrator.fleet import FleetMember, connectivity, use_terciles
from firmware_orchestrator.past import PAST, Rows, histories

Row = TypeVar("Row")
PAGES = 200
"""At most so many pages of a history are read for a plan; what is older counts as unknown."""
PAST_PAGES, STATE_PAGES = 30, 5
"""Likewise of each kind of row of the past, and of the statuses of one charge point."""
MAX_ASKED = 300
"""Charge points whose statuses are read: some ten milliseconds for each, while a person waits."""
USE_DAYS, ONLINE_DAYS = 28, 7


class Census:
    """Reads the fleet from the read models."""

    def __init__(self, stores: Stores, telemetry: States, clock: Clock) -> None:
        self._stores, self._telemetry, self._clock = stores, telemetry, clock

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
                hardware=each.hardware,
                tags=tuple((each.tags or "").split()),
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

    async def histories(self, members: Sequence[Member], at: datetime, policy: GatePolicy) -> dict[str, History]:
        """What happened at each of them in the 28 days before `at`. Raises StoreUnavailable.

        Statuses are in the telemetry, one question per charge point: beyond MAX_ASKED, a sample of them is asked.
        """
        rows = Rows(since=at - PAST)
        for kind in ("connected", "disconnected", "boot"):
            found = [each async for each in _all(partial(self._stores.stations.events, kind=kind, since=rows.since), PAST_PAGES)]
            rows.events = [*rows.events, *found]
            rows.since = max(rows.since, _complete_since(found, lambda each: each.received_at, rows.since))
        transactions = partial(self._stores.transactions.transactions, since=rows.since)
        rows.transactions = [each async for each in _all(transactions, PAST_PAGES)]
        began = _complete_since(rows.transactions, lambda each: each.start_received_at or rows.since, rows.since)
        rows.since = max(rows.since, began)
        asked = sorted((each.charge_point_id for each in members), key=lambda name: crc32(name.encode()))[:MAX_ASKED]
        rows.states = [state for name in asked for state in await self._states(name, rows.since, at)]
        rows.asked = frozenset(asked)
        return await asyncio.to_thread(histories, members, rows, at, policy)

    async def _states(self, charge_point_id: str, since: datetime, until: datetime) -> list[StateChange]:
        found: list[StateChange] = []
        for _ in range(STATE_PAGES):
            part = await self._telemetry.states(charge_point_id, since, until, limit=MAX_LIMIT)
            found += (each for each in part if each.kind in ("status", "error"))
            if len(part) < MAX_LIMIT:
                break
            since = part[-1].at + timedelta(microseconds=1)
        return found

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


def _complete_since(rows: Sequence[Row], at: Callable[[Row], datetime], since: datetime) -> datetime:
    """Rows come newest first; where there are more than were read, what is older is not known."""
    return since if len(rows) < PAST_PAGES * MAX_LIMIT else min(map(at, rows))


async def _all(read: Callable[..., Awaitable[Page[Row]]], pages: int = PAGES) -> AsyncIterator[Row]:
    cursor: str | None = None
    for _ in range(pages):
        page = await read(cursor=cursor, limit=MAX_LIMIT)
        for each in page.items:
            yield each
        if (cursor := page.next_cursor) is None:
            return
