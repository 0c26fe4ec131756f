"""Who pays for which ID token. Decided here: customers, their contracts, and the tokens of a contract over time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec

from billing_reports.party import Party
from billing_reports.tariff import TariffType

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
"""Ids of customers, contracts, tariffs and plans: they stand in URLs and file names."""


class Customer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Who gets statements. `time_zone` (IANA) decides to which month a session belongs; `language` is ISO 639-1."""

    customer_id: str
    party: Party
    language: str = "en"
    time_zone: str = "UTC"
    reference: str = ""
    """Printed on each statement: a cost centre, an order number."""
    reverse_charge: bool = False
    """A business of another member state that owes the tax itself (with its VAT id)."""
    payment_days: int | None = None
    """None: as the settings say."""
    note: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Contract(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a customer agreed to: from a local day on (inclusive) to another (exclusive; None: open)."""

    contract_id: str
    customer_id: str
    first_day: date
    last_day: date | None = None
    plan_id: str | None = None
    tariff_type: TariffType = TariffType.REGULAR
    home_charge_points: tuple[str, ...] = ()
    """Charge points that the customer owns: what is charged there by this contract is paid out, not charged."""


class ContractToken(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """An ID token that a contract pays for, from an instant (inclusive) to another (exclusive). `token` is personal data."""

    token: str
    contract_id: str
    valid_from: datetime
    valid_to: datetime | None = None

    @property
    def key(self) -> str:
        """Case folded, as OCPP compares them."""
        return self.token.casefold()

    def valid_at(self, at: datetime) -> bool:
        """Whether the contract pays for it then."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)


class Payer(msgspec.Struct, frozen=True):
    """Who pays for one transaction."""

    customer: Customer
    contract: Contract


def contract_valid(contract: Contract, local_day: date) -> bool:
    """Whether a contract runs on a local day of its customer."""
    return contract.first_day <= local_day and (contract.last_day is None or local_day < contract.last_day)


def token_at(tokens: Iterable[ContractToken], at: datetime) -> ContractToken | None:
    """The assignment that holds at an instant; of several the one that began last."""
    valid = [each for each in tokens if each.valid_at(at)]
    return max(valid, key=lambda each: each.valid_from, default=None)
