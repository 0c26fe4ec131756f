"""Why a transaction became no CDR. Decided here: the reasons there are, and which of them can pass by themselves."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class IssueReason(StrEnum):
    """One word for each way in which a transaction cannot be billed."""

    REGISTER_MISSING = "register_missing"
    """No register at its start or at its end, and no reading that could stand for it."""
    REGISTER_BACKWARDS = "register_backwards"
    """The register ended below its start; neither a rollover nor readings explain it."""
    ENERGY_ABSURD = "energy_absurd"
    """More energy than any connector can deliver in that time."""
    TIME_UNKNOWN = "time_unknown"
    """When it was cannot be known: the device's clock was never set, and the reports came late. Never billed without consent."""
    STOP_UNMATCHED = "stop_unmatched"
    """A stop in quarantine: it belongs to no transaction that is known."""
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a word
    """It charged though its token was refused, and the token is no customer's."""
    TARIFF_MISSING = "tariff_missing"
    """No tariff is assigned to the connector for that time."""
    TARIFF_UNUSABLE = "tariff_unusable"
    """The tariff cannot price it: an error in it, or in what it refers to."""
    PRICE_MISSING = "price_missing"
    """A price series has no price for an instant of it."""
    FAILED = "failed"
    """Judging it failed for a mistake of ours; the platform's log has it. Tried again at each start."""
    STILL_OPEN = "still_open"
    """Its end was not reported yet. Only on statements: an open transaction is nobody's mistake."""
    NO_CUSTOMER = "no_customer"
    """Its CDR is there, but its token belongs to no customer. Only in listings."""
    HOME_CHARGING = "home_charging"
    """The customer owns the connector: paid out and not charged. Only on statements."""
    DISMISSED = "dismissed"
    """A person decided that nobody is charged."""


_R = IssueReason
PASSING = frozenset({_R.TARIFF_MISSING, _R.TARIFF_UNUSABLE, _R.PRICE_MISSING, _R.TOKEN_REJECTED, _R.FAILED})
"""Looked at again when tariffs, prices or customers change; the others when a report about the transaction comes."""


class BillingIssue(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A transaction (or a report without one) that is not billed, and why. `sentence` says what to do about it."""

    charge_point_id: str
    transaction_id: str | None
    reason: IssueReason
    sentence: str
    connector: str | None = None
    site_id: str | None = None
    id_token: str | None = None
    """Personal data."""
    customer_id: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    energy_wh: int | None = None
    sequence: int | None = None
    """The journal's record to look at first."""
    found_at: datetime | None = None
