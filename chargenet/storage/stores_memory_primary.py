"""The SQL stores in memory: primary data, and all of them together. A public fake (chargenet.testing)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.model.audit import AuditEntry
from chargenet.model.key import Key, StoredKey
from chargenet.model.record import microseconds
from chargenet.model.station import ChargePointRegistration, Site
from chargenet.model.token import TokenRow
from chargenet.storage.stores_memory import MemoryStations, MemoryTransactions, listed, stored
from chargenet.stores import Audit, Floors, Keys, Page, Registrations, Sites, Stations, Tokens, Transactions


class MemorySites:
    """Implements `chargenet.stores.Sites`."""

    def __init__(self, sites: dict[str, Site], registrations: dict[str, ChargePointRegistration]) -> None:
        self._rows, self._registrations = sites, registrations

    async def put(self, site: Site) -> Site | None:
        before = self._rows.get(site.site_id)
        self._rows[site.site_id] = stored(site)
        return before

    async def get(self, site_id: str) -> Site | None:
        return self._rows.get(site_id)

    async def remove(self, site_id: str) -> Site:
        if site_id not in self._rows:
            raise NotFound("site", site_id)
        count = sum(row.site_id == site_id for row in self._registrations.values())
        if count:
            raise Conflict(f"site {site_id!r} still has {count} charge points")
        return self._rows.pop(site_id)

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Site]:
        return listed(self._rows.values(), lambda row: (row.site_id,), cursor, limit, (str,))


class MemoryRegistrations:
    """Implements `chargenet.stores.Registrations`."""

    def __init__(self, sites: dict[str, Site], registrations: dict[str, ChargePointRegistration]) -> None:
        self._sites, self._rows = sites, registrations

    async def put(self, row: ChargePointRegistration) -> ChargePointRegistration | None:
        if row.site_id is not None and row.site_id not in self._sites:
            raise NotFound("site", row.site_id)
        before = self._rows.get(row.charge_point_id)
        self._rows[row.charge_point_id] = stored(row)
        return before

    async def get(self, charge_point_id: str) -> ChargePointRegistration | None:
        return self._rows.get(charge_point_id)

    async def remove(self, charge_point_id: str) -> ChargePointRegistration:
        if charge_point_id not in self._rows:
            raise NotFound("charge point", charge_point_id)
        return self._rows.pop(charge_point_id)

    async def everything(self) -> list[ChargePointRegistration]:
        return [row for _, row in sorted(self._rows.items())]


class MemoryTokens:
    """Implements `chargenet.stores.Tokens`."""

    def __init__(self) -> None:
        self._rows: dict[str, TokenRow] = {}

    async def put(self, rows: Sequence[TokenRow]) -> int:
        new = 0
        for row in {row.key: row for row in map(stored, rows)}.values():
            before = self._rows.get(row.key)
            new += before is None
            created_at = row.created_at if before is None else before.created_at
            self._rows[row.key] = msgspec.structs.replace(row, created_at=created_at)
        return new

    async def get(self, value: str) -> TokenRow | None:
        return self._rows.get(value.casefold())

    async def remove(self, value: str) -> TokenRow:
        if value.casefold() not in self._rows:
            raise NotFound("token", value)
        return self._rows.pop(value.casefold())

    async def page(
        self, *, status: str | None = None, search: str | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[TokenRow]:
        rows = (
            row
            for row in self._rows.values()
            if (status is None or row.status == status) and (not search or search.casefold() in row.key)
        )
        return listed(rows, lambda row: (row.key,), cursor, limit, (str,))

    async def everything(self) -> list[TokenRow]:
        return [row for _, row in sorted(self._rows.items())]


class MemoryKeys:
    """Implements `chargenet.stores.Keys`."""

    def __init__(self) -> None:
        self._rows: dict[str, StoredKey] = {}

    async def add(self, row: StoredKey) -> None:
        if row.key.key_id in self._rows:
            raise Conflict(f"there is a key {row.key.key_id!r} already")
        self._rows[row.key.key_id] = row

    async def revoke(self, key_id: str, at: datetime) -> Key:
        row = self._rows.get(key_id)
        if row is None:
            raise NotFound("key", key_id)
        return self._replace(row, revoked_at=row.key.revoked_at or at)

    async def touch(self, used: dict[str, datetime]) -> None:
        for key_id, at in used.items():
            row = self._rows.get(key_id)
            if row is not None and (row.key.last_used_at is None or row.key.last_used_at < at):
                self._replace(row, last_used_at=at)

    async def page(self, *, cursor: str | None = None, limit: int = 100) -> Page[Key]:
        keys = (row.key for row in self._rows.values())
        return listed(keys, lambda row: (microseconds(row.created_at), row.key_id), cursor, limit, (int, str))

    async def everything(self) -> list[StoredKey]:
        return sorted(self._rows.values(), key=lambda row: (row.key.created_at, row.key.key_id))

    def _replace(self, row: StoredKey, **changes: datetime) -> Key:
        key = msgspec.structs.replace(row.key, **changes)
        self._rows[key.key_id] = StoredKey(key, row.secret_hash)
        return key


class MemoryAudit:
    """Implements `chargenet.stores.Audit`."""

    def __init__(self) -> None:
        self._rows: list[AuditEntry] = []

    async def append(self, entry: AuditEntry) -> AuditEntry:
        plain = msgspec.json.decode(msgspec.json.encode([entry.before, entry.after]))
        self._rows.append(msgspec.structs.replace(entry, before=plain[0], after=plain[1], audit_id=len(self._rows) + 1))
        return msgspec.structs.replace(entry, audit_id=len(self._rows))

    async def page(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        target: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[AuditEntry]:
        rows = (
            row
            for row in self._rows
            if (who is None or row.who == who)
            and (action is None or row.action == action)
            and (target is None or row.target == target)
            and (since is None or row.at >= since)
        )
        return listed(rows, lambda row: (row.audit_id,), cursor, limit, (int,), newest_first=True)


class MemoryFloors:
    """Implements `chargenet.stores.Floors`."""

    def __init__(self, floors: dict[str, int]) -> None:
        self._rows = floors

    async def get(self, name: str) -> int:
        return self._rows.get(name, 0)

    async def raise_to(self, name: str, value: int) -> int:
        self._rows[name] = max(value, self._rows.get(name, 0))
        return self._rows[name]


class MemoryStores:
    """Implements `chargenet.stores.Stores`. Nothing survives it."""

    def __init__(self) -> None:
        registrations: dict[str, ChargePointRegistration] = {}
        sites: dict[str, Site] = {}
        floors: dict[str, int] = {}
        self.stations: Stations = MemoryStations(registrations)
        self.transactions: Transactions = MemoryTransactions(registrations, floors)
        self.sites: Sites = MemorySites(sites, registrations)
        self.registrations: Registrations = MemoryRegistrations(sites, registrations)
        self.tokens: Tokens = MemoryTokens()
        self.keys: Keys = MemoryKeys()
        self.audit: Audit = MemoryAudit()
        self.floors: Floors = MemoryFloors(floors)
        self._closed = False

    async def check(self) -> None:
        if self._closed:
            raise StoreUnavailable("sql", "closed")

    async def close(self) -> None:
        self._closed = True
