"""Public keys of meters, in SQL and in memory: both pass the same contract suite."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, delete, select

from billing_reports.meter_keys import MeterKey
from billing_reports.storage.tables import meter_keys
from chargenet.errors import NotFound, StoreUnavailable
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import upsert

_k = meter_keys.c
_EVER = datetime.min.replace(tzinfo=UTC)


class SqlMeterKeys:
    """Implements `billing_reports.store.MeterKeyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, key: MeterKey) -> None:
        row = {"key_id": key.key_id, "row": msgspec.json.encode(key).decode()}
        await self._database.write(lambda connection: upsert(connection, meter_keys, [row]))

    async def keys(self) -> list[MeterKey]:
        rows = await self._database.read(lambda connection: connection.execute(select(_k.row)).scalars().all())
        return sorted((msgspec.json.decode(row, type=MeterKey) for row in rows), key=_order)

    async def remove(self, key_id: str) -> MeterKey:
        def work(connection: Connection) -> MeterKey:
            row = connection.execute(select(_k.row).where(_k.key_id == key_id)).scalar_one_or_none()
            if row is None:
                raise NotFound("meter key", key_id)
            connection.execute(delete(meter_keys).where(_k.key_id == key_id))
            return msgspec.json.decode(row, type=MeterKey)

        return await self._database.write(work)


class MemoryMeterKeys:
    """Implements `billing_reports.store.MeterKeyStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._keys: dict[str, MeterKey] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def put(self, key: MeterKey) -> None:
        self._asked()
        self._keys[key.key_id] = key

    async def keys(self) -> list[MeterKey]:
        self._asked()
        return sorted(self._keys.values(), key=_order)

    async def remove(self, key_id: str) -> MeterKey:
        self._asked()
        if key_id not in self._keys:
            raise NotFound("meter key", key_id)
        return self._keys.pop(key_id)


def _order(key: MeterKey) -> tuple[str, str, datetime]:
    return key.scope.value, key.place, key.valid_from or _EVER
