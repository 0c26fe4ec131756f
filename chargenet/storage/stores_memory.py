"""The SQL stores in memory: read models. A public fake; passes the same contract suite as the databases (chargenet.testing)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from chargenet.errors import StoreUnavailable
from chargenet.model.station import (
    ChargePoint,
    ChargePointEvent,
    ChargePointRegistration,
    ChargePointState,
    ConnectorState,
    Upload,
)
from chargenet.model.text import storable_number, storable_text
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionAlias, TransactionChange, TransactionState
from chargenet.storage import paging
from chargenet.stores import Page, StationChanges, TransactionChanges, TransactionsLoaded

Row = TypeVar("Row", bound=msgspec.Struct)


def listed(
    rows: Iterable[Row],
    key: Callable[[Row], paging.Key],
    cursor: str | None,
    limit: int,
    types: tuple[type, ...],
    *,
    newest_first: bool = False,
) -> Page[Row]:
    """One page of rows in the order of their keys."""
    limit = paging.bounded(limit)
    after: Any = paging.decode(cursor, *types)
    ordered = sorted(rows, key=key, reverse=newest_first)
    if after is not None:
        ordered = [row for row in ordered if (key(row) < after if newest_first else key(row) > after)]
    return paging.page(ordered[: limit + 1], limit, key)


def stored(row: Row) -> Row:
    """A row as a database would give it back."""
    changes: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(row).items():
        if isinstance(value, str):
            changes[name] = storable_text(str(value))
        elif type(value) is int:
            changes[name] = storable_number(value)
    return msgspec.structs.replace(row, **changes)


class _Model:
    """A position that moves with its rows."""

    def __init__(self, name: str) -> None:
        self._name, self._position = name, 0

    async def position(self) -> int:
        return self._position

    def _advance(self, after: int, upto: int) -> None:
        if self._position != after:
            raise StoreUnavailable("sql", f"{self._name} is at {self._position}, not at {after}: another write came between")
        self._position = upto


class MemoryStations(_Model):
    """Implements `chargenet.stores.Stations`."""

    def __init__(self, registrations: dict[str, ChargePointRegistration]) -> None:
        super().__init__("stations")
        self._registrations = registrations
        self._states: dict[str, ChargePointState] = {}
        self._connectors: dict[tuple[str, str], ConnectorState] = {}
        self._events: dict[tuple[int, int], ChargePointEvent] = {}
        self._uploads: dict[str, Upload] = {}

    async def load(self, charge_point_ids: Iterable[str]) -> tuple[list[ChargePointState], list[ConnectorState]]:
        wanted = set(charge_point_ids)
        connectors = [row for row in self._connectors.values() if row.charge_point_id in wanted]
        return [self._states[name] for name in wanted & self._states.keys()], connectors

    async def save(self, changes: StationChanges, after: int, upto: int) -> None:
        self._advance(after, upto)
        self._states |= {row.charge_point_id: stored(row) for row in changes.charge_points}
        self._connectors |= {(row.charge_point_id, row.connector): stored(row) for row in changes.connectors}
        self._events |= {(row.sequence, row.ordinal): stored(row) for row in changes.events}
        self._uploads |= {row.file_id: stored(row) for row in changes.uploads}

    async def reset(self) -> None:
        self._position = 0
        for rows in (self._states, self._connectors, self._events, self._uploads):
            rows.clear()

    def _charge_point(self, charge_point_id: str) -> ChargePoint:
        registered = self._registrations.get(charge_point_id)
        return ChargePoint(
            charge_point_id=charge_point_id,
            registration=registered.registration if registered else None,
            site_id=registered.site_id if registered else None,
            note=registered.note if registered else None,
            tags=registered.tags if registered else None,
            hardware=registered.hardware if registered else None,
            has_password=registered is not None and registered.password_hash is not None,
            state=self._states.get(charge_point_id) or ChargePointState(charge_point_id=charge_point_id),
        )

    async def charge_points(
        self,
        *,
        site_id: str | None = None,
        registration: str | None = None,
        connected: bool | None = None,
        search: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePoint]:
        def wanted(row: ChargePoint) -> bool:
            texts = (row.charge_point_id, row.state.vendor, row.state.model, row.state.serial_number)
            return (
                (site_id is None or row.site_id == site_id)
                and (registration is None or row.registration == registration)
                and (connected is None or row.state.connected == connected)
                and (not search or any(search.lower() in (text or "").lower() for text in texts))
            )

        rows = (self._charge_point(name) for name in {*self._states, *self._registrations})
        return listed(filter(wanted, rows), lambda row: (row.charge_point_id,), cursor, limit, (str,))

    async def charge_point(self, charge_point_id: str) -> ChargePoint | None:
        known = charge_point_id in self._states or charge_point_id in self._registrations
        return self._charge_point(charge_point_id) if known else None

    async def connectors(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        status: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ConnectorState]:
        rows = (
            row
            for row in self._connectors.values()
            if (charge_point_id is None or row.charge_point_id == charge_point_id)
            and (site_id is None or self._charge_point(row.charge_point_id).site_id == site_id)
            and (status is None or row.status == status)
        )
        types = (str, int, int, str)
        return listed(rows, lambda row: (row.charge_point_id, row.evse_id, row.connector_id, row.connector), cursor, limit, types)

    async def events(
        self,
        *,
        charge_point_id: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ChargePointEvent]:
        rows = (
            row
            for row in self._events.values()
            if (charge_point_id is None or row.charge_point_id == charge_point_id)
            and (kind is None or row.kind == kind)
            and (since is None or row.received_at >= since)
        )
        return listed(rows, lambda row: (row.sequence, row.ordinal), cursor, limit, (int, int), newest_first=True)

    async def uploads(self, *, charge_point_id: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Upload]:
        rows = (row for row in self._uploads.values() if charge_point_id is None or row.charge_point_id == charge_point_id)
        return listed(rows, lambda row: (row.sequence, row.file_id), cursor, limit, (int, str), newest_first=True)

    async def upload(self, file_id: str) -> Upload | None:
        return self._uploads.get(file_id)


def _age(row: Transaction) -> tuple[int, str, str]:
    return row.first_sequence, row.charge_point_id, row.transaction_id


class MemoryTransactions(_Model):
    """Implements `chargenet.stores.Transactions`."""

    def __init__(self, registrations: dict[str, ChargePointRegistration], floors: dict[str, int]) -> None:
        super().__init__("transactions")
        self._registrations, self._floors = registrations, floors
        self._rows: dict[tuple[str, str], Transaction] = {}
        self._changes: dict[tuple[str, str, int, int], TransactionChange] = {}
        self._aliases: dict[tuple[str, str], TransactionAlias] = {}
        self._stops: dict[tuple[int, int], QuarantinedReport] = {}

    def _recent(self, charge_point_id: str, count: int) -> list[Transaction]:
        rows = sorted((row for row in self._rows.values() if row.charge_point_id == charge_point_id), key=_age)
        recent = rows[len(rows) - min(count, len(rows)) :]
        return [row for row in rows if row.state == TransactionState.OPEN and row not in recent] + recent

    async def load(self, charge_point_ids: Iterable[str], recent: int, stops: int) -> TransactionsLoaded:
        rows: list[Transaction] = []
        quarantined: list[QuarantinedReport] = []
        for charge_point_id in charge_point_ids:
            rows += self._recent(charge_point_id, recent)
            reports = [row for _, row in sorted(self._stops.items()) if row.charge_point_id == charge_point_id]
            quarantined += reports[-stops:]
        keys = {(row.charge_point_id, row.transaction_id) for row in rows}
        aliases = [row for row in self._aliases.values() if (row.charge_point_id, row.transaction_id) in keys]
        return TransactionsLoaded(sorted(rows, key=_age), aliases, quarantined)

    async def find_many(self, keys: Iterable[tuple[str, str]]) -> TransactionsLoaded:
        wanted = set(keys)
        aliases = [row for key, row in self._aliases.items() if key in wanted]
        wanted |= {(row.charge_point_id, row.transaction_id) for row in aliases}
        return TransactionsLoaded(sorted((self._rows[key] for key in wanted & self._rows.keys()), key=_age), aliases, [])

    async def save(self, changes: TransactionChanges, after: int, upto: int) -> None:
        self._advance(after, upto)
        self._rows |= {(row.charge_point_id, row.transaction_id): stored(row) for row in changes.transactions}
        self._changes |= {
            (row.charge_point_id, row.transaction_id, row.sequence, row.ordinal): stored(row) for row in changes.changes
        }
        self._aliases |= {(row.charge_point_id, row.alias_id): stored(row) for row in changes.aliases}
        self._stops |= {(row.sequence, row.ordinal): stored(row) for row in changes.quarantine}
        self._floors["transaction_id"] = max(self._floors.get("transaction_id", 0), changes.highest_id)

    async def reset(self) -> None:
        self._position = 0
        for rows in (self._rows, self._changes, self._aliases, self._stops):
            rows.clear()

    async def transaction(self, charge_point_id: str, transaction_id: str) -> Transaction | None:
        found = await self.find_many([(charge_point_id, transaction_id)])
        return found.transactions[0] if found.transactions else None

    async def transactions(
        self,
        *,
        charge_point_id: str | None = None,
        site_id: str | None = None,
        connector: str | None = None,
        state: str | None = None,
        flag: str | None = None,
        id_token: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Transaction]:
        def at_site(row: Transaction) -> bool:
            registered = self._registrations.get(row.charge_point_id)
            return registered is not None and registered.site_id == site_id

        tests: list[Callable[[Transaction], bool]] = []
        for name, wanted in (("charge_point_id", charge_point_id), ("connector", connector), ("state", state)):
            if wanted is not None:
                tests.append(lambda row, name=name, wanted=wanted: getattr(row, name) == wanted)  # type: ignore[misc]
        if site_id is not None:
            tests.append(at_site)
        if flag is not None:
            tests.append(lambda row: flag in row.flags)
        if id_token is not None:
            tests.append(lambda row: row.token_key == id_token.casefold())
        if since is not None:
            tests.append(lambda row: row.began_at is not None and row.began_at >= since)
        if until is not None:
            tests.append(lambda row: row.began_at is not None and row.began_at < until)
        rows = (row for row in self._rows.values() if all(test(row) for test in tests))
        types = (int, str, str)
        return listed(
            rows, lambda row: (row.first_sequence, row.charge_point_id, row.transaction_id), cursor, limit, types, newest_first=True
        )

    async def changes(
        self, charge_point_id: str, transaction_id: str, *, cursor: str | None = None, limit: int = 100
    ) -> Page[TransactionChange]:
        rows = (row for key, row in self._changes.items() if key[:2] == (charge_point_id, transaction_id))
        return listed(rows, lambda row: (row.sequence, row.ordinal), cursor, limit, (int, int))

    async def quarantine(
        self, *, charge_point_id: str | None = None, resolved: bool | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[QuarantinedReport]:
        rows = (
            row
            for row in self._stops.values()
            if (charge_point_id is None or row.charge_point_id == charge_point_id)
            and (resolved is None or (row.resolved_by is not None) == resolved)
        )
        return listed(rows, lambda row: (row.sequence, row.ordinal), cursor, limit, (int, int), newest_first=True)

    async def recent(self, per_charge_point: int) -> list[Transaction]:
        names = {row.charge_point_id for row in self._rows.values()}
        return sorted((row for name in names for row in self._recent(name, per_charge_point)), key=_age)
