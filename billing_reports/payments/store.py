"""What payments keep, as a port. The adapters are storage/payments_sql.py and storage/payments_memory.py; both pass one suite.

Every method raises StoreUnavailable when the database does not answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from billing_reports.payments.payment import Payment, PaymentEntry, SavedMethod
from chargenet.stores import Page


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Payments counted: by (kind, state), stuck ones, what is receivable (minor units by currency), and since when the oldest
    request has waited for its answer."""

    states: dict[tuple[str, str], int]
    stuck: int
    receivable: dict[str, int]
    oldest_request_at: datetime | None


class PaymentStore(Protocol):
    """Payments with their pending requests, saved methods, and the gateway's calls that were taken in."""

    async def add(self, payment: Payment) -> Payment:
        """Store a new one. Conflict where its id, its statement or its token has one already."""

    async def save(self, payment: Payment, what: str) -> Payment:
        """Store it as the next version, with a line of history (empty: none). Conflict where somebody else changed it meanwhile."""

    async def payment(self, payment_id: str) -> Payment:
        """NotFound."""

    async def at_gateway(self, gateway_id: str) -> Payment | None:
        """By the gateway's id."""

    async def due(self, now: datetime, limit: int) -> list[Payment]:
        """Those whose time has come, longest due first."""

    async def untold(self, limit: int) -> list[Payment]:
        """Those that people have not heard of."""

    async def of_tokens(self, token_keys: Sequence[str]) -> list[Payment]:
        """Holds of these tokens."""

    async def of_statements(self, statement_ids: Sequence[str]) -> list[Payment]:
        """Charges of these statements."""

    async def page(
        self,
        *,
        state: str | None = None,
        kind: str | None = None,
        customer_id: str | None = None,
        stuck: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Payment]:
        """Newest first."""

    async def history(self, payment_id: str) -> list[PaymentEntry]:
        """Oldest first."""

    async def summary(self) -> Summary:
        """For metrics."""

    async def put_method(self, method: SavedMethod) -> None:
        """Create or replace."""

    async def drop_method(self, customer_id: str) -> None:
        """NotFound."""

    async def method(self, customer_id: str) -> SavedMethod | None:
        """How a customer pays."""

    async def take_event(self, event_id: str, now: datetime) -> bool:
        """Remember a call of the gateway; False where it was taken in before."""

    async def knows_event(self, event_id: str) -> bool:
        """Whether a call was taken in already."""

    async def forget_events(self, before: datetime) -> None:
        """Calls that are too old to come again."""

    async def position(self, name: str) -> int:
        """How far a follower has read; 0 at first."""

    async def set_position(self, name: str, position: int) -> None:
        """Remember it."""
