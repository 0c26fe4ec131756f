"""The audit log: who changed what. Append-only, primary data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One state-changing act. `before` and `after` are JSON values without secrets. `audit_id` is given by the store."""

    at: datetime
    who: str
    """The key's id and name, or `cli`, `system`."""
    action: str
    """What was done, e.g. `tokens.block`."""
    target: str
    """What it was done to, e.g. `charge-point CP-1`."""
    before: Any = None
    after: Any = None
    audit_id: int = 0
