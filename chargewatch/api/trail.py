"""The audit trail: every state-changing route takes an `Audited`. Decided here: what an entry says, and what it never says."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import Request

from chargenet.model.audit import AuditEntry
from chargewatch.api.auth import platform_of
from chargewatch.api.platform import Platform
from chargewatch.hidden import without_secrets


class Trail:
    """Writes one entry about one request."""

    def __init__(self, platform: Platform, action: str) -> None:
        self._platform, self._action = platform, action
        self.written = 0

    async def record(self, who: str, target: str, *, before: Any = None, after: Any = None) -> None:
        """Append the entry. Raises StoreUnavailable: what cannot be audited is answered as failed."""
        entry = AuditEntry(
            at=self._platform.clock.now(),
            who=who,
            action=self._action,
            target=target,
            before=without_secrets(msgspec.to_builtins(before)),
            after=without_secrets(msgspec.to_builtins(after)),
        )
        await self._platform.stores.audit.append(entry)
        self.written += 1


class Audited:
    """A dependency that gives the route its Trail; `action` is what the audit log calls it, e.g. `tokens.block`."""

    def __init__(self, action: str) -> None:
        self.action = action

    async def __call__(self, request: Request) -> Trail:
        return Trail(platform_of(request), self.action)
