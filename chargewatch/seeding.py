"""After a restart: what the metrics of the fleet show at once. Decided here: what the stores know is shown until it is refreshed.

What the journal holds beyond the stores is not asked here: the fleet's projection begins where the stores end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from chargenet.model.ids import parse_label
from chargenet.model.transaction import TransactionState
from chargenet.observe.fleet import FleetMetrics
from chargenet.stores import MAX_LIMIT, Page, Stores
from collector.projections.fleet import FleetProjection

Row = TypeVar("Row")


async def seed_fleet(stores: Stores, fleet: FleetMetrics, projection: FleetProjection, now_s: float) -> None:
    """Last statuses and running transactions. `now_s`: UTC seconds."""
    statuses: dict[str, dict[str, tuple[str, str | None]]] = {}
    async for connector in _rows(lambda cursor: stores.stations.connectors(cursor=cursor, limit=MAX_LIMIT)):
        if connector.status is not None:
            known = statuses.setdefault(connector.charge_point_id, {})
            known[connector.connector] = (connector.status, connector.error_code)
    async for point in _rows(lambda cursor: stores.stations.charge_points(cursor=cursor, limit=MAX_LIMIT)):
        if (state := point.state) is not None:
            fleet.seed(
                point.charge_point_id,
                now=now_s,
                vendor=state.vendor or "",
                model=state.model or "",
                firmware=state.firmware_version or "",
                protocol=state.protocol or "",
                statuses=statuses.get(point.charge_point_id),
            )
    running = TransactionState.OPEN
    async for row in _rows(lambda cursor: stores.transactions.transactions(state=running, cursor=cursor, limit=MAX_LIMIT)):
        if row.connector is not None:
            connector_ref = parse_label(row.connector)
            projection.seed_transaction(row.charge_point_id, connector_ref, row.transaction_id, row.start_register_wh)


async def _rows(fetch: Callable[[str | None], Awaitable[Page[Row]]]) -> AsyncIterator[Row]:
    """All rows of all pages."""
    cursor: str | None = None
    while True:
        page = await fetch(cursor)
        for row in page.items:
            yield row
        if (cursor := page.next_cursor) is None:
            return
