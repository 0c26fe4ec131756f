"""What the routes of billing share: who may, which desk, and how money leaves."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from pydantic import AfterValidator, Field

from billing_reports.cdr import Price
from billing_reports.cdr_row import CdrRow
from billing_reports.customers import ID_PATTERN
from billing_reports.desk import BillingDesk
from billing_reports.money import decimal_text, minor_units
from chargenet.errors import Unavailable
from chargewatch.api.answers import Text
from chargewatch.api.auth import Needs, Principal, platform_of
from chargewatch.api.permissions import Permission

BillingReader = Annotated[Principal, Depends(Needs(Permission.READ_BILLING))]
BillingManager = Annotated[Principal, Depends(Needs(Permission.MANAGE_BILLING))]


def desk_of(request: Request) -> BillingDesk:
    """The billing desk of the running platform."""
    desk: BillingDesk | None = getattr(platform_of(request), "billing", None)
    if desk is None:
        raise Unavailable("this platform runs no billing program")
    return desk


Desk = Annotated[BillingDesk, Depends(desk_of)]


class Amount(msgspec.Struct, frozen=True):
    """Money: exact decimal text, and its currency (ISO 4217)."""

    amount: str
    currency: str


def amount(value: Decimal, currency: str) -> Amount:
    """As text, with at least the decimals of the currency."""
    return Amount(decimal_text(value, minor_units(currency)), currency)


class PriceShown(msgspec.Struct, frozen=True):
    """An amount before and after taxes, exact."""

    before_taxes: Amount
    after_taxes: Amount


def price_shown(price: Price, currency: str) -> PriceShown:
    """Both amounts as text."""
    return PriceShown(amount(price.before_taxes, currency), amount(price.after_taxes, currency))


def _month(text: str) -> date:
    year, _, month = text.partition("-")
    return date(int(year), int(month), 1)


MONTH = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"
MonthText = Annotated[str, Field(pattern=MONTH, examples=["2026-10"])]
OwnId = Annotated[str, Field(pattern=ID_PATTERN, examples=["acme-fleet"])]
Remark = Annotated[Text, Field(max_length=1000)]


def month_day(text: str) -> date:
    """The first day of a month that a pattern has accepted already."""
    return _month(text)


class CdrShown(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR in a listing. Amounts of credits are negative."""

    id: str
    charge_point_id: str | None
    connector: str | None
    site_id: str | None
    transaction_id: str | None
    customer_id: str | None
    contract_id: str | None
    started_at: datetime
    ended_at: datetime
    created_at: datetime
    energy_wh: int
    before_taxes: Amount
    after_taxes: Amount
    credit: bool
    credit_reference_id: str | None
    credited_by: str | None
    statement_id: str | None


def shown(row: CdrRow) -> CdrShown:
    """For listings."""
    return CdrShown(
        id=row.id,
        charge_point_id=row.charge_point_id,
        connector=row.connector,
        site_id=row.site_id,
        transaction_id=row.transaction_id,
        customer_id=row.customer_id,
        contract_id=row.contract_id,
        started_at=row.started_at,
        ended_at=row.ended_at,
        created_at=row.created_at,
        energy_wh=row.energy_wh,
        before_taxes=amount(row.before_taxes, row.currency),
        after_taxes=amount(row.after_taxes, row.currency),
        credit=row.credit,
        credit_reference_id=row.credit_reference_id,
        credited_by=row.credited_by,
        statement_id=row.statement_id,
    )


def plausible_day(day: date) -> date:
    """A day that time zones can be applied to."""
    if not 1990 <= day.year <= 2200:
        raise ValueError("expected a day between 1990 and 2200")
    return day


def plausible_instant(at: datetime) -> datetime:
    """An instant that time zones can be applied to."""
    plausible_day(at.date())
    return at


Day = Annotated[date, AfterValidator(plausible_day)]
