"""API keys as they are made and checked. Decided here: their spelling, their hash, and that a check costs no SQL.

A key is `cw_<id>_<secret>`: the id (12 hex digits) finds the row, the secret (256 random bits) is compared as a SHA-256 in
constant time. A slow hash would protect nothing that 256 random bits leave open, and would cost each request its time.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

import msgspec

from chargenet.errors import Conflict
from chargenet.model.key import Key, NewKey, StoredKey
from chargenet.model.words import Role
from chargenet.storage.caches import Cache
from chargenet.stores import Keys

PREFIX = "cw"
MAX_SECRET_LENGTH = 256
_NOBODY = hashlib.sha256(b"nobody").hexdigest()


class StoredKeyRing:
    """Implements `chargenet.stores.KeyRing` over `chargenet.stores.Keys`."""

    def __init__(self, store: Keys) -> None:
        self._store = store
        self._cache: Cache[StoredKey] = Cache()
        self._used: dict[str, datetime] = {}

    @property
    def empty(self) -> bool:
        return not any(stored.key.revoked_at is None for stored in self._cache.values())

    def authenticate(self, secret: str, now: datetime) -> Key | None:
        if len(secret) > MAX_SECRET_LENGTH:
            return None
        parts = secret.split("_", 2)
        stored = self._cache.get(parts[1]) if len(parts) == 3 and parts[0] == PREFIX else None
        expected = _NOBODY if stored is None else stored.secret_hash
        if not hmac.compare_digest(hash_secret(secret), expected) or stored is None or stored.key.revoked_at is not None:
            return None
        self._used[stored.key.key_id] = now
        return stored.key

    async def create(self, name: str, role: str, now: datetime) -> NewKey:
        if not name.strip():
            raise Conflict("a key needs a name")
        if role not in set(Role):
            raise Conflict(f"there is no role {role!r}: use {', '.join(Role)}")
        key_id = secrets.token_hex(6)
        secret = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        key = Key(key_id=key_id, name=name.strip(), role=str(role), created_at=now)
        stored = StoredKey(key, hash_secret(secret))
        await self._store.add(stored)
        self._cache.put(key_id, stored)
        return NewKey(key, secret)

    async def revoke(self, key_id: str, now: datetime) -> Key:
        key = await self._store.revoke(key_id, now)
        stored = self._cache.get(key_id)
        if stored is not None:
            self._cache.put(key_id, msgspec.structs.replace(stored, key=key))
        return key

    async def refresh(self) -> None:
        """Read all keys again, and write last uses. Raises StoreUnavailable, keeping what is known."""
        used, self._used = self._used, {}
        rows: dict[str, StoredKey] | None = None
        self._cache.begin()
        try:
            await self._store.touch(used)
            rows = {row.key.key_id: row for row in await self._store.everything()}
        except BaseException:
            self._used = {**used, **self._used}
            raise
        finally:
            self._cache.end(rows)


def hash_secret(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
