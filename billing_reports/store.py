"""What billing keeps, as ports. Decided here: what the program may ask of its stores; the adapters are in storage/.

Every method raises StoreUnavailable when the database does not answer, NotFound for what is not there and Conflict for what
contradicts what is. Listings are pages, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from billing_reports.cdr import Cdr
from billing_reports.sessions import BilledSession, Change

Key = tuple[str, str]
"""(charge point, transaction id)."""


class LedgerStore(Protocol):
    """Billed sessions, their CDRs, and how far the journal is billed."""

    async def position(self) -> int:
        """The last sequence whose meaning is stored."""

    async def save(self, change: Change) -> None:
        """All of it in one transaction. Conflict where a CDR id is there already, one is credited twice, or the position moved."""

    async def sessions(self, keys: Iterable[Key]) -> dict[Key, BilledSession]:
        """Those that are known."""

    async def active(self, charge_point_ids: Iterable[str]) -> list[BilledSession]:
        """Open and waiting ones of these charge points."""

    async def due(self, now: datetime, limit: int = 500) -> list[BilledSession]:
        """Waiting ones whose time has come, longest due first."""

    async def open_keys(self, limit: int) -> list[Key]:
        """Transactions that run."""

    async def of_reasons(self, reasons: Iterable[str], after: Key = ("", ""), limit: int = 500) -> list[BilledSession]:
        """Issues with these reasons, by key."""

    async def cdr(self, cdr_id: str) -> Cdr:
        """One CDR whole."""

    async def without_customer(self, token_keys: Iterable[str]) -> list[str]:
        """CDRs in force (not credited, no credits) of these tokens that name no customer."""
