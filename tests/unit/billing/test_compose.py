"""A customer's month as a draft: pairs that cancel out, fees and included energy, reverse charge, home charging, no VAT."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec

from billing_reports.cdr import credit_of
from billing_reports.cdr_row import row_of
from billing_reports.compose import Account, cancelled_out, compose
from billing_reports.customers import Contract
from billing_reports.house import House, missing
from billing_reports.party import Party
from billing_reports.plans import Plan
from billing_reports.schedule import due_month
from billing_reports.statement import LineKind, Statement, TaxCategory
from tests.support.billing_month import HOUSE, MONTH, NOW, cdr, customers

CUSTOMER = customers(1)[0]
CONTRACT = Contract(contract_id="k-c000000", customer_id="c000000", first_day=date(2026, 3, 11), plan_id="gold")
PLAN = Plan(id="gold", currency="EUR", monthly_fee=Decimal(31), vat=Decimal(19), included_wh=31_000)


def _draft(account: Account, plans: dict[str, Plan] | None = None) -> Statement:
    [found] = compose(account, MONTH, plans or {}, HOUSE, {}, NOW)
    return found


def test_what_was_credited_before_it_was_stated_is_not_on_it() -> None:
    """The pair cancels out; a credit of something stated earlier is a correction."""
    first, second = cdr(1, "c000000", 5_000), cdr(2, "c000000", 7_000)
    credit = credit_of(first, "X1", NOW)
    rows = [row_of(each, number) for number, each in enumerate((first, credit, second), 1)]
    assert [row.id for row in cancelled_out(rows)] == [second.id]
    draft = _draft(Account(customer=CUSTOMER, rows=tuple(rows[1:])))
    assert [line.kind for line in draft.lines] == [LineKind.CORRECTION, LineKind.SESSION]
    assert [line.energy_wh for line in draft.lines] == [-5_000, 7_000]
    assert draft.lines[0].net.amount == -draft_net(5_000)
    assert draft.energy_wh == 2_000


def draft_net(energy_wh: int) -> Decimal:
    """By hand: 0.4217 per kWh, half up."""
    return (Decimal(energy_wh) * Decimal("0.4217") / 1000).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_a_plan_has_its_fee_and_its_energy_once() -> None:
    """21 of 31 days: 21.00 fee and 21 kWh; a second statement of the month has neither."""
    made = [cdr(1, "c000000", 20_000), cdr(2, "c000000", 20_000)]
    rows = tuple(row_of(each, number) for number, each in enumerate(made, 1))
    account = Account(customer=CUSTOMER, contracts=(CONTRACT,), rows=rows, cdrs={each.id: each for each in made})
    draft = _draft(account, {"gold": PLAN})
    found = {line.kind: line for line in draft.lines}
    assert found[LineKind.MONTHLY_FEE].net.amount == Decimal("21.00")
    assert found[LineKind.MONTHLY_FEE].quantity == Decimal("0.6774")
    included = [line for line in draft.lines if line.kind is LineKind.INCLUDED_ENERGY]
    assert [(line.energy_wh, line.net.amount) for line in included] == [(20_000, -draft_net(20_000)), (1_000, -draft_net(1_000))]
    assert draft.energy_wh == 40_000
    again = _draft(msgspec.structs.replace(account, issued={"EUR": 1}, numbered={"EUR": 1}), {"gold": PLAN})
    assert {line.kind for line in again.lines} == {LineKind.SESSION}
    assert again.id == "c000000-2026-03-EUR-2"


def test_a_fee_alone_is_a_statement() -> None:
    """Nobody charged, but the plan costs."""
    draft = _draft(Account(customer=CUSTOMER, contracts=(CONTRACT,)), {"gold": PLAN})
    assert [line.kind for line in draft.lines] == [LineKind.MONTHLY_FEE]
    assert compose(Account(customer=CUSTOMER), MONTH, {}, HOUSE, {}, NOW) == []


def test_reverse_charge_has_no_tax_and_says_why() -> None:
    """A business of another member state owes it itself."""
    buyer = msgspec.structs.replace(CUSTOMER, reverse_charge=True)
    draft = _draft(Account(customer=buyer, rows=(row_of(cdr(1, "c000000", 10_000), 1),)))
    [tax] = draft.taxes
    assert tax.category is TaxCategory.REVERSE_CHARGE and not tax.vat and not tax.tax.amount
    assert "reverse charge" in tax.reason
    assert draft.totals.payable.amount == draft_net(10_000)


def test_charging_at_home_is_paid_out() -> None:
    """`home_charging_compensation`: what it costs after taxes goes to the customer, without VAT."""
    one = msgspec.structs.replace(cdr(1, "c000000", 10_000), home_charging_compensation=True)
    draft = _draft(Account(customer=CUSTOMER, rows=(row_of(one, 1),)))
    [line] = draft.lines
    assert (line.kind, line.vat, line.category) == (LineKind.HOME_CHARGING, None, TaxCategory.EXEMPT)
    assert draft.totals.payable.amount == -(draft_net(10_000) * Decimal("1.19")).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_what_a_seller_must_say() -> None:
    """Directive 2006/112/EC, art. 226: the settings that are missing are named."""
    assert missing(Party(name="")) == [
        "billing.seller_name", "billing.seller_street", "billing.seller_city", "billing.seller_country", "billing.seller_vat_id",
    ]  # fmt: skip
    assert missing(House(seller=Party(name="S", street="1", city="B", country="DE", tax_number="5")).seller) == []


def test_when_a_month_is_due() -> None:
    """On the second at three, local time: an hour earlier in UTC in summer than in winter."""
    for at, zone, expected in (
        (datetime(2026, 4, 2, 0, 59, tzinfo=UTC), "Europe/Berlin", None),
        (datetime(2026, 4, 2, 1, 0, tzinfo=UTC), "Europe/Berlin", date(2026, 3, 1)),
        (datetime(2026, 1, 2, 1, 59, tzinfo=UTC), "Europe/Berlin", None),
        (datetime(2026, 1, 2, 2, 0, tzinfo=UTC), "Europe/Berlin", date(2025, 12, 1)),
        (datetime(2026, 1, 2, 2, 0, tzinfo=UTC), "Pacific/Auckland", date(2025, 12, 1)),
        (datetime(2026, 1, 31, 23, 0, tzinfo=UTC) + timedelta(days=1), "America/New_York", None),
    ):
        assert due_month(at, zone, 2, 3) == expected, (at, zone)
