"""A statement: what a customer owes for one calendar month, and why. Decided here: its words; not how it is made or drawn.

Plain values: `billing_reports.compose` makes drafts of CDRs, `numbering` gives the number, `render/` draws. Amounts on lines and in
totals are whole minor units (cents). Taxes are per rate on the sum of the lines (EN 16931, BR-CO-17), never a sum of line taxes.
A statement is changed only while it is a draft; a final one is taken back whole by a credit note.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from billing_reports.cdr import Cdr
from billing_reports.money import Money
from billing_reports.party import Party


class StatementState(StrEnum):
    """Where a statement is. A credit note is made final at once."""

    DRAFT = "draft"
    """Without number; a billing run may make it anew."""
    FINAL = "final"
    """Numbered and issued; never changed again, but for its state."""
    CREDITED = "credited"
    """Final, and taken back by the credit note `credited_by`."""


class StatementKind(StrEnum):
    """What the document is (UNTDID 1001: 380 and 381)."""

    STATEMENT = "statement"
    CREDIT_NOTE = "credit_note"


class LineKind(StrEnum):
    """What a line is for."""

    SESSION = "session"
    """A CDR: `cdr_id`, and `cdr` with its breakdown."""
    CORRECTION = "correction"
    """A credit CDR: takes back what an earlier statement had billed."""
    MONTHLY_FEE = "monthly_fee"
    """The fee of a plan; `detail` is the plan's id, `quantity` the months (a part of one where pro rata)."""
    INCLUDED_ENERGY = "included_energy"
    """What a plan grants on the CDR `cdr_id`; negative."""
    HOME_CHARGING = "home_charging"
    """Paid to the customer, who owns the connector; negative."""


class TaxCategory(StrEnum):
    """UNTDID 5305, the part of it that charging needs."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    """No VAT applies, which is not 0 %."""
    REVERSE_CHARGE = "AE"
    """The customer owes the tax."""


class StatementLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One CDR at one VAT rate, or a fee. `net` is what EN 16931 adds; `gross` is for reading (see `Statement.tax_included`)."""

    number: int
    """From 1, without gaps."""
    kind: LineKind
    net: Money
    gross: Money
    vat: Decimal | None = None
    """Percent; None = no VAT applies."""
    category: TaxCategory = TaxCategory.STANDARD
    quantity: Decimal = Decimal(1)
    """Sessions, months; `net` is for the whole quantity."""
    cdr_id: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    energy_wh: int = 0
    site_id: str | None = None
    site_name: str = ""
    charge_point_id: str | None = None
    connector: str | None = None
    detail: str = ""
    cdr: Cdr | None = None
    """The whole CDR with breakdown, signed values and trace, where the statement was loaded with them."""


class TaxLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The tax of one rate and category: `tax` = round(`base` x `vat` %)."""

    vat: Decimal | None
    category: TaxCategory
    base: Money
    tax: Money
    reason: str = ""
    """Why there is none, for the categories that must say so."""


class StatementTotals(msgspec.Struct, frozen=True, kw_only=True):
    """`gross` = `net` + `tax`; `payable` = `gross` + `rounding` (EN 16931 BT-114).

    Rounding is not zero only where prices were announced with taxes: then `payable` is the sum of the announced amounts, and no
    net amount of whole cents with its tax need give exactly that.
    """

    net: Money
    tax: Money
    gross: Money
    rounding: Money
    payable: Money


class UnbilledSession(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A transaction of this customer's tokens in this month that no CDR bills, and why."""

    charge_point_id: str
    transaction_id: str | None
    reason: str
    """A word of `billing_reports.issue.IssueReason`."""
    sentence: str
    connector: str | None = None
    site_id: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    energy_wh: int | None = None


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """One document. Money in one currency: a customer with CDRs in two gets two statements."""

    id: str
    """Ours, stable from the first draft on."""
    kind: StatementKind = StatementKind.STATEMENT
    state: StatementState = StatementState.DRAFT
    series: str
    """Numbers have no gap within a series."""
    ordinal: int | None = None
    """Its place in the series, from 1; None for drafts."""
    number: str | None = None
    """As printed, e.g. CW-2026-000042; None for drafts."""
    currency: str
    seller: Party
    customer: Party
    customer_id: str
    customer_reference: str = ""
    """What the customer wants to read on it: a cost centre, an order number (BT-10)."""
    contract_ids: tuple[str, ...] = ()
    language: str = "en"
    """ISO 639-1, of the documents made of it."""
    time_zone: str
    """IANA name, of the customer: the month and all printed times."""
    month: date
    """Its first day."""
    first_day: date
    """First local day covered."""
    last_day: date
    """Last local day covered, inclusive."""
    created_at: datetime
    issued_at: datetime | None = None
    issued_on: date | None = None
    """Local day of `issued_at`: the date of the document."""
    due_on: date | None = None
    lines: tuple[StatementLine, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    totals: StatementTotals
    tax_included: bool = False
    """Prices were announced with taxes: the line's `gross` is the announced amount, the nets are shares of the total net."""
    unbilled: tuple[UnbilledSession, ...] = ()
    credits_id: str | None = None
    """For a credit note: the statement it takes back, and its number."""
    credits_number: str | None = None
    credited_by: str | None = None
    """For a credited statement: the id of its credit note."""
    remark: str = ""
    """For people, printed: why a credit note was written."""

    @property
    def energy_wh(self) -> int:
        """Whole Wh over sessions and corrections."""
        return sum(line.energy_wh for line in self.lines if line.kind in (LineKind.SESSION, LineKind.CORRECTION))


def without_cdrs(statement: Statement) -> Statement:
    """As it is stored: its CDRs are kept once, in the ledger."""
    if all(each.cdr is None for each in statement.lines):
        return statement
    return msgspec.structs.replace(statement, lines=tuple(msgspec.structs.replace(each, cdr=None) for each in statement.lines))
