"""Token table, directory and key ring in memory. Decided here: what an ID token is answered, and that no answer waits for SQL.

Each is read from its store by `refresh()` (at start, and from time to time, so that changes made by another process arrive) and
changed at once, after its store, by the local writer. A refresh that began before a local change must not undo it: changes made
while it reads are applied again on top.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from chargenet.model.ids import IdToken
from chargenet.model.station import ChargePointRegistration
from chargenet.model.token import TokenRow
from chargenet.model.words import TokenKind, TokenStatus
from chargenet.ports import ChargePointEntry, TokenAnswer
from chargenet.stores import Registrations, Tokens

Row = TypeVar("Row")
Value = TypeVar("Value")


class Cache(Generic[Value]):
    """A whole table by key, and the local changes that a running refresh must not undo."""

    def __init__(self) -> None:
        self._rows: dict[str, Value] = {}
        self._refreshes = 0
        self._changed: dict[str, Value | None] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Value | None:
        return self._rows.get(key)

    def values(self) -> Iterable[Value]:
        return self._rows.values()

    def put(self, key: str, value: Value | None) -> None:
        """Set or (None) remove one row."""
        if value is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = value
        if self._refreshes:
            self._changed[key] = value

    def begin(self) -> None:
        """A refresh starts to read."""
        self._refreshes += 1

    def end(self, rows: dict[str, Value] | None) -> None:
        """A refresh has read `rows`; None when it failed: what is here stays."""
        self._refreshes -= 1
        if rows is not None:
            self._rows = rows
            for key, value in self._changed.items():
                if value is None:
                    self._rows.pop(key, None)
                else:
                    self._rows[key] = value
        if not self._refreshes:
            self._changed.clear()


async def by_key(rows: Sequence[Row], item: Callable[[Row], tuple[str, Value]]) -> dict[str, Value]:
    """A table by its keys. Made in a thread: of 150,000 rows it takes a tenth of a second, for which no reply may wait."""
    return await asyncio.to_thread(lambda: dict(map(item, rows)))


class CachedTokens:
    """Implements `chargenet.ports.TokenTable` over `chargenet.stores.Tokens`. `unknown`: accept or reject (answered Invalid)."""

    def __init__(self, store: Tokens, *, unknown: str = "accept") -> None:
        self._store = store
        self._cache: Cache[TokenRow] = Cache()
        self._unknown = TokenAnswer(TokenStatus.ACCEPTED if unknown == "accept" else TokenStatus.INVALID)

    def __len__(self) -> int:
        return len(self._cache)

    def authorize(self, token: IdToken, now: datetime) -> TokenAnswer:
        """What the table says. A start button (NoAuthorization) asks for nothing and is accepted (OCPP 2.0.1 C02)."""
        row = self._cache.get(token.key)
        if row is None:
            return _ACCEPTED if token.kind == TokenKind.NO_AUTHORIZATION else self._unknown
        status = row.status
        if status == TokenStatus.ACCEPTED and row.expires_at is not None and row.expires_at < now:
            status = TokenStatus.EXPIRED
        return TokenAnswer(str(status), row.parent, row.expires_at)

    async def put(self, rows: Sequence[TokenRow]) -> int:
        """Store rows and use them at once; how many were new."""
        new = await self._store.put(rows)
        for row in rows:
            self._cache.put(row.key, row)
        return new

    async def remove(self, value: str) -> TokenRow:
        """Raises NotFound."""
        row = await self._store.remove(value)
        self._cache.put(row.key, None)
        return row

    async def refresh(self) -> None:
        """Read the table again. Raises StoreUnavailable, keeping what is known."""
        rows: dict[str, TokenRow] | None = None
        self._cache.begin()
        try:
            rows = await by_key(await self._store.everything(), lambda row: (row.key, row))
        finally:
            self._cache.end(rows)


_ACCEPTED = TokenAnswer(TokenStatus.ACCEPTED)


class CachedDirectory:
    """Implements `chargenet.ports.Directory` over `chargenet.stores.Registrations`."""

    def __init__(self, store: Registrations) -> None:
        self._store = store
        self._cache: Cache[ChargePointEntry] = Cache()

    def __len__(self) -> int:
        return len(self._cache)

    def find(self, charge_point_id: str) -> ChargePointEntry | None:
        """None when nobody has decided about it."""
        return self._cache.get(charge_point_id)

    async def put(self, row: ChargePointRegistration) -> ChargePointRegistration | None:
        """Store a registration and use it at once; the row before, if any. Raises NotFound when its site is not known."""
        before = await self._store.put(row)
        self._cache.put(row.charge_point_id, _entry(row))
        return before

    async def remove(self, charge_point_id: str) -> ChargePointRegistration:
        """Raises NotFound."""
        row = await self._store.remove(charge_point_id)
        self._cache.put(charge_point_id, None)
        return row

    async def refresh(self) -> None:
        """Read all registrations again. Raises StoreUnavailable, keeping what is known."""
        rows: dict[str, ChargePointEntry] | None = None
        self._cache.begin()
        try:
            rows = await by_key(await self._store.everything(), lambda row: (row.charge_point_id, _entry(row)))
        finally:
            self._cache.end(rows)


def _entry(row: ChargePointRegistration) -> ChargePointEntry:
    return ChargePointEntry(row.charge_point_id, row.registration, row.password_hash, site_id=row.site_id)
