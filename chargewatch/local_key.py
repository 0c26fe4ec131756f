"""A key for the commands of this machine: made at each start, kept in memory and in `DATA/platform.json`, gone with the process."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

from chargenet.model.key import Key, NewKey
from chargenet.model.words import Role
from chargenet.stores import KeyRing

LOCAL_ID = "local"


class LocalKeyRing:
    """A KeyRing that knows one key more than the stored ones."""

    def __init__(self, stored: KeyRing, now: datetime) -> None:
        self._stored = stored
        self.secret = f"cw_{LOCAL_ID}_{secrets.token_urlsafe(32)}"
        self._key = Key(key_id=LOCAL_ID, name="commands on this machine", role=Role.ADMIN, created_at=now)

    def authenticate(self, secret: str, now: datetime) -> Key | None:
        """The key whose secret this is."""
        if hmac.compare_digest(secret.encode(), self.secret.encode()):
            return self._key
        return self._stored.authenticate(secret, now)

    async def create(self, name: str, role: str, now: datetime) -> NewKey:
        """See KeyRing."""
        return await self._stored.create(name, role, now)

    async def revoke(self, key_id: str, now: datetime) -> Key:
        """See KeyRing."""
        return await self._stored.revoke(key_id, now)

    async def refresh(self) -> None:
        """See KeyRing."""
        await self._stored.refresh()

    @property
    def empty(self) -> bool:
        """True when no stored key works: a first start."""
        return self._stored.empty
