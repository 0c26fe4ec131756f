"""API keys as values. Decided here: their spelling, and that only a hash is kept."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One API key as shown and checked; never its secret."""

    key_id: str
    name: str
    role: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class StoredKey(msgspec.Struct, frozen=True):
    """A key with the hash of its secret."""

    key: Key
    secret_hash: str

    def __repr__(self) -> str:
        return f"StoredKey({self.key!r})"


class NewKey(msgspec.Struct, frozen=True):
    """A key just made. `secret` (`cw_<id>_<secret>`) is shown once and kept nowhere."""

    key: Key
    secret: str

    def __repr__(self) -> str:
        return f"NewKey({self.key!r})"
