"""What billing knows about a payment. Decided here: nothing; storage/payment_books.py reads it, machine.py judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from billing_reports.payments.payment import Payment, SavedMethod


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment is for, as it stands now. `due` in minor units; None: a session runs, waits, or cannot be priced yet.

    `used`: a session with the hold's token was seen. `foreign`: what is due is in another currency, which cannot be collected here.
    """

    due: int | None = None
    used: bool = False
    foreign: bool = False
    waiting_for: str = ""
    """Why `due` is None, as a sentence."""
    method: SavedMethod | None = None


class Chargeable(msgspec.Struct, frozen=True, kw_only=True):
    """A final statement of a customer with a saved method that nobody has charged."""

    statement_id: str
    number: str
    customer_id: str
    currency: str
    payable: int
    gateway_customer: str


class Books(Protocol):
    """CDRs, sessions and statements, as payments need them. Raises StoreUnavailable."""

    async def owed(self, payments: Sequence[Payment]) -> Mapping[str, Owed]:
        """By payment id."""

    async def chargeable(self, after: datetime, limit: int) -> list[Chargeable]:
        """Issued after an instant, and after their customer's method was saved; oldest first."""

    async def changed_tokens(self, after: int, limit: int) -> tuple[int, list[str]]:
        """Tokens with new CDRs or credits after this ordinal, and the ordinal reached."""

    async def credited(self, after: tuple[datetime, str], limit: int) -> list[tuple[datetime, str, str]]:
        """(made at, credit note, statement that it takes back) after such a pair, in order."""

    async def token_is_fresh(self, token_key: str) -> bool:
        """No session has used it and no contract pays for it: what it costs can be told from what others cost."""
