"""A CDR as listings and statements need it. Decided here: its sums per VAT rate; the whole breakdown is in the CDR itself."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import msgspec

from billing_reports.cdr import Adjustment, Cdr, PricedLine
from billing_reports.money import total
from billing_reports.tariff import TaxIncluded


class RateSum(msgspec.Struct, frozen=True, array_like=True):
    """What a CDR costs at one VAT rate (percent; None: no VAT applies). Exact, not rounded."""

    vat: Decimal | None
    before_taxes: Decimal
    after_taxes: Decimal


class CdrRow(msgspec.Struct, frozen=True, kw_only=True):
    """Without breakdown, usage and signed values. For credits the sums are negative."""

    ordinal: int
    """The order in which CDRs were made, from 1, with gaps."""
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
    currency: str
    energy_wh: int
    before_taxes: Decimal
    after_taxes: Decimal
    rates: tuple[RateSum, ...]
    tax_included: bool
    home: bool = False
    credit: bool = False
    credit_reference_id: str | None = None
    credited_by: str | None = None
    statement_id: str | None = None
    """The final statement that it is on."""


def rate_sums(cdr: Cdr) -> tuple[RateSum, ...]:
    """Sums per VAT rate over lines and adjustments, in order of rates; they add up to the total. A credit's are negated."""
    nets: dict[Decimal | None, list[Decimal]] = {}
    grosses: dict[Decimal | None, list[Decimal]] = {}
    lines = [line for period in cdr.priced.periods for line in period.lines if line.price is not None]
    parts: list[PricedLine | Adjustment] = [*lines, *cdr.priced.adjustments]
    for each in parts:
        nets.setdefault(each.vat, []).append(each.before_taxes)
        grosses.setdefault(each.vat, []).append(each.after_taxes)
    sign = -1 if cdr.credit else 1
    made = [RateSum(vat, sign * total(nets[vat]), sign * total(grosses[vat])) for vat in nets]
    return tuple(sorted(made, key=lambda each: (each.vat is not None, each.vat or Decimal(0))))


def row_of(cdr: Cdr, ordinal: int = 0) -> CdrRow:
    """The summary of a CDR that is on no statement yet."""
    return CdrRow(
        ordinal=ordinal,
        id=cdr.id,
        charge_point_id=cdr.charge_point_id,
        connector=cdr.connector,
        site_id=cdr.site_id,
        transaction_id=cdr.transaction_id,
        customer_id=cdr.customer_id,
        contract_id=cdr.contract_id,
        started_at=cdr.started_at,
        ended_at=cdr.ended_at,
        created_at=cdr.created_at,
        currency=cdr.currency,
        energy_wh=-cdr.usage.energy_wh if cdr.credit else cdr.usage.energy_wh,
        before_taxes=cdr.total.before_taxes,
        after_taxes=cdr.total.after_taxes,
        rates=rate_sums(cdr),
        tax_included=cdr.tariff.tax_included is TaxIncluded.YES,
        home=cdr.home_charging_compensation,
        credit=cdr.credit,
        credit_reference_id=cdr.credit_reference_id,
    )
