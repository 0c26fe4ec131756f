"""A payment: what was asked of the gateway, and what it answered. Decided here: its words; the moves are in machine.py.

Amounts are whole minor units of `currency` (cents; JPY has none, KWD has thousandths): a gateway takes nothing else.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from billing_reports.money import Money, minor_units, round_amount


class PaymentKind(StrEnum):
    """What the payment is for."""

    HOLD = "hold"
    """An ad-hoc session: an amount is held before it, what the CDR comes to is captured after it."""
    CHARGE = "charge"
    """A final statement: charged to the customer's saved method."""


class PaymentState(StrEnum):
    """Where the money is."""

    NEW = "new"
    """The gateway does not know of it, or its answer did not arrive."""
    OPENED = "opened"
    """The gateway knows it; no money has moved. A hold without a method waits here for the driver."""
    PROCESSING = "processing"
    """The bank takes its time (direct debit)."""
    HELD = "held"
    """The amount is held on the driver's card; nothing is charged."""
    DECLINED = "declined"
    """The bank said no; it is tried again by the schedule, or handed to a person."""
    PAID = "paid"
    """Charged or captured; a part may have been paid back."""
    REFUNDED = "refunded"
    """All of it was paid back."""
    CANCELLED = "cancelled"
    """Given up before anything was charged; a hold is released."""


class Action(StrEnum):
    """What can be asked of the gateway."""

    OPEN = "open"
    CONFIRM = "confirm"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"


class Request(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Stored before it is sent. `key` makes the gateway do it once, however often it is sent."""

    action: Action
    key: str
    stored_at: datetime
    amount: int = 0
    """Of a capture or a refund, minor units."""
    method: str = ""
    """Of a confirmation: the gateway's name of the method. Stored, so that a repeat is word for word the same."""
    gateway_customer: str = ""
    tries: int = 0
    """How often it was sent without an answer."""


class SavedMethod(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a customer pays: the gateway's own names. Card numbers are never here."""

    customer_id: str
    gateway_customer: str
    gateway_method: str
    label: str = ""
    """For people: Visa, ends in 4242."""
    saved_at: datetime


class Payment(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One hold or one charge, from the wish to the money."""

    payment_id: str
    kind: PaymentKind
    state: PaymentState = PaymentState.NEW
    nonce: str
    """Random, so that keys and references are ours alone even where two platforms share an account."""
    currency: str
    amount: int
    """What is held or charged at most."""
    captured: int = 0
    refunded: int = 0
    due: int | None = None
    """What is owed by what is known now; None: not known yet."""
    waived: int = 0
    """What people have paid back out of courtesy: owed less that."""
    gateway_id: str | None = None
    gateway_customer: str = ""
    method: str = ""
    """Of a hold: the method that it was made with, where the driver gave one at once."""
    customer_id: str | None = None
    statement_id: str | None = None
    description: str = ""
    """On the payer's own papers, e.g. Statement ST-000042."""
    token_key: str | None = None
    """Personal data: never a label, never logged."""
    charge_point_id: str | None = None
    requests: int = 0
    """Requests made so far: part of the key of the next one."""
    pending: Request | None = None
    confirmed: bool = False
    """The method was given to the gateway at least once."""
    declines: int = 0
    first_declined_at: datetime | None = None
    final_decline: bool = False
    """The bank said that trying again is no use."""
    problem: str = ""
    """The last thing that went wrong, as a sentence."""
    stuck: str = ""
    """Why a person must look at it; nothing happens until somebody does."""
    stuck_at: datetime | None = None
    """When it last became stuck; stays when it goes on."""
    until_known: bool = False
    """Stuck, but goes on by itself once it is known what is owed."""
    ask: bool = False
    """The gateway said that something has changed: ask it before anything else."""
    untold: bool = False
    """People have not heard of the last change yet."""
    created_at: datetime
    changed_at: datetime
    held_at: datetime | None = None
    look_at: datetime | None = None
    """When it is looked at again; None: when something happens."""
    version: int = 0

    @property
    def net(self) -> int:
        """What we have of it."""
        return self.captured - self.refunded

    @property
    def owed(self) -> int:
        """What is due after what was waived; 0 where it is not known."""
        return max(0, (self.due or 0) - self.waived)

    @property
    def is_over(self) -> bool:
        """The gateway will do no more by itself."""
        return self.state in (PaymentState.PAID, PaymentState.REFUNDED, PaymentState.CANCELLED)

    @property
    def receivable(self) -> int:
        """Owed, and not collected by this payment any more: somebody must ask for it in another way."""
        return max(0, self.owed - self.net) if self.is_over or self.stuck else 0


class PaymentEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a payment's history."""

    version: int
    at: datetime
    state: PaymentState
    what: str


def minor(amount: Decimal, currency: str) -> int:
    """Exact money → minor units, half up once."""
    places = minor_units(currency)
    return int(round_amount(amount, places).scaleb(places))


def money(amount: int, currency: str) -> Money:
    """The inverse of `minor`."""
    return Money(Decimal(amount).scaleb(-minor_units(currency)), currency)
