"""How charge points stand right now, for a dispatch. Decided here: what counts as online, idle and well.

Read just in time from the read models, which are at most a second or two behind; what they miss, the charge point says itself when
it is called (OCPP lets it wait with the installation until its sessions have ended).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

import msgspec

from chargenet.model.station import ChargePoint, ConnectorState
from chargenet.model.words import ConnectorStatus
from chargenet.stores import Stores

_S = ConnectorStatus
BUSY = frozenset({_S.PREPARING, _S.CHARGING, _S.SUSPENDED_EV, _S.SUSPENDED_EVSE, _S.FINISHING, _S.RESERVED, _S.OCCUPIED})
AT_ONCE = 4
"""Look-ups side by side: the store has few threads, and others need them too."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One charge point now."""

    charge_point_id: str
    connected: bool = False
    generation: int = 0
    protocol: str | None = None
    firmware_version: str | None = None
    busy: str | None = None
    """What keeps it busy; None: idle."""
    faulted: bool = False
    operative: tuple[str, ...] = ()
    """Connectors that are in service."""


class LiveFleet(Protocol):
    """Looks at charge points."""

    async def look(self, charge_point_ids: Iterable[str]) -> dict[str, Live]:
        """Those that are known. Raises StoreUnavailable."""


class StoredFleet:
    """Implements `LiveFleet` over the read models."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def look(self, charge_point_ids: Iterable[str]) -> dict[str, Live]:
        found: dict[str, Live] = {}
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(charge_point_id: str) -> None:
            async with turns:
                live = await self._look(charge_point_id)
            if live is not None:
                found[charge_point_id] = live

        async with asyncio.TaskGroup() as tasks:
            for charge_point_id in charge_point_ids:
                tasks.create_task(one(charge_point_id))
        return found

    async def _look(self, charge_point_id: str) -> Live | None:
        point = await self._stores.stations.charge_point(charge_point_id)
        if point is None:
            return None
        connectors = await self._stores.stations.connectors(charge_point_id=charge_point_id)
        open_ones = await self._stores.transactions.transactions(charge_point_id=charge_point_id, state="open", limit=1)
        return live(point, connectors.items, bool(open_ones.items))


def live(point: ChargePoint, connectors: Iterable[ConnectorState], in_transaction: bool) -> Live:
    """Pure: rows → how it stands. A connector that never said its status is no reason to wait for ever."""
    connectors = list(connectors)
    busy = "a transaction is open" if in_transaction else None
    for each in connectors:
        if busy is None and each.status in BUSY:
            busy = f"connector {each.connector} is {each.status}"
    state = point.state
    return Live(
        charge_point_id=point.charge_point_id,
        connected=state.connected,
        generation=state.generation,
        protocol=state.protocol,
        firmware_version=state.firmware_version,
        busy=busy,
        faulted=any(each.status == _S.FAULTED for each in connectors),
        operative=tuple(each.connector for each in connectors if each.status not in (_S.UNAVAILABLE, None)),
    )
