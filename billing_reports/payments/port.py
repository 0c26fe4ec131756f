"""The seam to a payment gateway. Decided here: what is asked of one, and which three ways there are to get no answer.

To authorise a hold is `open` (a hold) and `confirm`; to charge a saved method is `open` (a charge) and `confirm`. The two are
apart, because only `confirm` moves money: a repeated `open` is harmless, and a gateway confirms one opened payment at most once, so
no crash can charge twice even after the gateway has forgotten an idempotency key. Every answer is the whole `View` of the payment.

A decline is an answer, not an error: the View is then OPEN again with its `decline`. The fake is memory.py; both pass
tests/contract/test_payment_gateway.py.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from billing_reports.payments.payment import PaymentKind
from chargenet.errors import ChargewatchError, Unavailable
from chargenet.settings.values import Secret


class GatewayStatus(StrEnum):
    """What the gateway says of a payment."""

    OPEN = "open"
    """It waits for a method, or for another one after a decline."""
    ACTION = "action"
    """The payer must do something: 3-D Secure, a bank's page."""
    PROCESSING = "processing"
    HELD = "held"
    PAID = "paid"
    CANCELLED = "cancelled"


class Decline(msgspec.Struct, frozen=True):
    """The bank said no. `code` is the gateway's word; `final`: trying the same method again is no use."""

    code: str
    sentence: str
    final: bool = False


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as the gateway has it. Amounts in minor units of `currency`, as everywhere here."""

    gateway_id: str
    status: GatewayStatus
    currency: str
    amount: int
    captured: int = 0
    refunded: int = 0
    decline: Decline | None = None
    client_secret: Secret | None = None
    """What the driver's browser needs to confirm; never stored and never logged."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is opened. `reference` is ours, for the gateway's own pages; it holds no personal data."""

    kind: PaymentKind
    reference: str
    amount: int
    currency: str
    description: str = ""
    gateway_customer: str = ""


class GatewayEvent(msgspec.Struct, frozen=True):
    """A call of the gateway whose signature was right: something about a payment has changed. Ask what (`look`)."""

    event_id: str
    kind: str
    gateway_id: str | None
    """None: it is not about a payment."""


class GatewayUnavailable(Unavailable):
    """No answer that counts: the request may or may not have been done. Send it again with the same key."""

    def __init__(self, problem: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"the payment gateway does not answer: {problem}")
        self.retry_after_s = retry_after_s


class GatewayRefused(ChargewatchError):
    """The gateway will not do it, however often it is asked. `code` is its own word."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(f"the payment gateway refuses: {problem} ({code})")
        self.code = code


class BadSignature(ChargewatchError):
    """A call that is not the gateway's, is too old, or cannot be read."""


class PaymentGateway(Protocol):
    """Every method raises GatewayUnavailable or GatewayRefused; `key` is an idempotency key, stored before it is used."""

    name: str

    async def open(self, order: Order, key: str) -> View:
        """Register a payment. No money moves."""

    async def confirm(self, gateway_id: str, method: str, gateway_customer: str, key: str) -> View:
        """Authorise a hold, or charge, with this method; the payer is not there. Declined: OPEN with a `decline`."""

    async def capture(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        """Charge up to what is held; the rest of the hold is released. Once only."""

    async def cancel(self, gateway_id: str, key: str) -> View:
        """Release a hold, or give up what was never charged."""

    async def refund(self, gateway_id: str, amount: int, currency: str, key: str) -> View:
        """Pay back a part or all of what was charged."""

    async def look(self, gateway_id: str) -> View:
        """The payment as it is now."""

    def read_event(self, body: bytes, signature: str, now: datetime) -> GatewayEvent:
        """A webhook call, its signature checked in constant time. Raises BadSignature."""

    async def close(self) -> None:
        """Let go of connections."""
