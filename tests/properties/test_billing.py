"""Properties of billing: parts sum to the whole, whatever is reported in whatever order; original + credit = 0; totals add up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from billing_reports.assemble import Assembled, assemble
from billing_reports.cdr import Cdr, PeriodKind
from billing_reports.cdr_row import CdrRow, RateSum, rate_sums
from billing_reports.compose import Account, cancelled_out, compose
from billing_reports.customers import Contract, Customer, Payer
from billing_reports.evidence import Evidence, Reading, Seen, StateSeen
from billing_reports.house import House
from billing_reports.money import round_amount, total
from billing_reports.numbering import credit_note, finalized
from billing_reports.party import Party
from billing_reports.rate import Terms, cdr_id, corrected, rate
from billing_reports.registers import RegisterBackwards, RegisterPoint, curve
from billing_reports.tariff import Dimension, PriceComponent, Tariff, TariffElement, TaxIncluded
from billing_reports.tariff_book import Place
from billing_reports.totals import lines_of, month_totals
from chargenet.model.transaction import Transaction, TransactionState

BEGAN = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
"""Half an hour before the clocks change in Berlin."""
ENDED = BEGAN + timedelta(hours=2)
NOW = datetime(2026, 4, 2, tzinfo=UTC)
TARIFF = Tariff(
    id="t",
    currency="EUR",
    elements=(
        TariffElement(
            (
                PriceComponent(Dimension.ENERGY, Decimal("0.4217"), Decimal(19)),
                PriceComponent(Dimension.PARKING_TIME, Decimal("3.33"), Decimal(7), 60),
            )
        ),
    ),
)
seconds = st.integers(0, 7200)
readings = st.lists(st.tuples(seconds, st.integers(0, 60_000_000)), max_size=12)
states = st.lists(st.tuples(seconds, st.sampled_from(list(Seen))), max_size=6)


def _row(start: int = 10_000, stop: int = 40_000) -> Transaction:
    return Transaction(
        charge_point_id="CP", transaction_id="1", protocol="ocpp1.6", state=TransactionState.STOPPED, connector="1", id_token="AA",
        began_at=BEGAN, ended_at=ENDED, start_register_wh=start, stop_register_wh=stop, first_sequence=1, last_sequence=9,
        start_sequence=1, stop_sequence=9,
    )  # fmt: skip


def _evidence(registers: list[tuple[int, int]], seen: list[tuple[int, Seen]]) -> Evidence:
    at = [
        Reading(sequence=2 + index, at=BEGAN + timedelta(seconds=second), received_at=ENDED, register_mwh=mwh)
        for index, (second, mwh) in enumerate(registers)
    ]
    said = [StateSeen(20 + index, BEGAN + timedelta(seconds=second), state, state) for index, (second, state) in enumerate(seen)]
    return Evidence(
        readings=tuple(sorted(at, key=lambda each: (each.at, each.sequence))),
        states=tuple(sorted(said, key=lambda each: (each.at, each.sequence))),
        upto=99,
    )


@given(readings, states)
def test_parts_sum_to_the_registers_difference(registers: list[tuple[int, int]], seen: list[tuple[int, Seen]]) -> None:
    """Whatever was sampled in between: periods follow each other without a gap, never take energy back, and sum to the whole."""
    found = assemble(_row(), _evidence(registers, seen), "Europe/Berlin")
    assert isinstance(found, Assembled)
    periods = found.usage.periods
    assert all(each.energy_wh >= 0 for each in periods)
    assert [each.end_at for each in periods[:-1]] == [each.start_at for each in periods[1:]]
    assert (periods[0].start_at, periods[-1].end_at >= ENDED) == (BEGAN, True)
    if not {"meter_swapped", "register_rollover", "stop_register_refused"} & set(found.flags):
        assert found.usage.energy_wh == 30_000


@given(readings, states, st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(registers: list[tuple[int, int]], seen: list[tuple[int, Seen]], random: Random) -> None:
    """The same readings twice, in any order, give the same periods."""
    evidence = _evidence(registers, seen)
    doubled = [*evidence.readings, *evidence.readings]
    random.shuffle(doubled)
    again = msgspec.structs.replace(evidence, readings=tuple(sorted(doubled, key=lambda each: (each.at, each.sequence))))
    one, other = assemble(_row(), evidence, "UTC"), assemble(_row(), again, "UTC")
    assert isinstance(one, Assembled) and isinstance(other, Assembled)
    assert one.usage == other.usage


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=20), st.booleans())
def test_energy_never_falls(values: list[int], official: bool) -> None:
    """Of any registers: energies rise, and are at most what the register rose in all its lives."""
    points = [RegisterPoint(index * 600_000, value) for index, value in enumerate(values)]
    try:
        made = curve(points, official_end=official)
    except RegisterBackwards:
        assert official and values[-1] < values[0]
        return
    assert list(made.energies) == sorted(made.energies)
    rises = sum(max(0, after - before) for before, after in pairwise(values))
    if "register_rollover" not in made.flags:
        assert made.total <= rises


@given(readings, states)
def test_original_and_credit_are_nothing(registers: list[tuple[int, int]], seen: list[tuple[int, Seen]]) -> None:
    """Sums per rate add up to the total, and a credit takes exactly that back."""
    used = assemble(_row(), _evidence(registers, seen), "Europe/Berlin")
    assert isinstance(used, Assembled)
    payer = None if not registers else Payer(CUSTOMER, _contract())
    cdr = rate(_row(), used, Place("CP", "1", None), Terms(TARIFF), payer, {}, cdr_id=cdr_id(1, 1), now=NOW)
    assert isinstance(cdr, Cdr)
    credit, _ = corrected(cdr, cdr, NOW, "wrong")
    for one, other in zip(rate_sums(cdr), rate_sums(credit), strict=True):
        nothing = (one.before_taxes + other.before_taxes, one.after_taxes + other.after_taxes)
        assert one.vat == other.vat and nothing == (Decimal(0), Decimal(0))
    assert total(each.before_taxes for each in rate_sums(cdr)) == cdr.total.before_taxes
    assert total(each.after_taxes for each in rate_sums(cdr)) == cdr.total.after_taxes
    assert all(each.kind in PeriodKind for each in cdr.usage.periods)


amounts = st.decimals(-50, 500, places=5)
rates = st.sampled_from([None, Decimal(0), Decimal(7), Decimal(19), Decimal("25.5")])
rows = st.lists(st.tuples(amounts, rates, st.booleans()), min_size=1, max_size=15)
CUSTOMER = Customer(customer_id="c", party=Party(name="C"), time_zone="Europe/Berlin")
HOUSE = House(seller=Party(name="S", street="1", city="B", country="DE", vat_id="DE1"))


def _contract() -> Contract:
    return Contract(contract_id="k", customer_id="c", first_day=date(2020, 1, 1))


def _cdr_row(index: int, net: Decimal, vat: Decimal | None, included: bool) -> CdrRow:
    gross = net * (1 + (vat or Decimal(0)) / 100)
    ended_at = BEGAN + timedelta(minutes=index)
    return CdrRow(
        ordinal=index, id=f"C{index}", charge_point_id="CP", connector="1", site_id=None, transaction_id=str(index),
        customer_id="c", contract_id="k", started_at=BEGAN, ended_at=ended_at, created_at=NOW, currency="EUR", energy_wh=1000,
        before_taxes=net, after_taxes=gross, rates=(RateSum(vat, net, gross),), tax_included=included,
    )  # fmt: skip


@given(rows, st.booleans())
def test_a_statement_adds_up_to_the_cent(given_rows: list[tuple[Decimal, Decimal | None, bool]], included: bool) -> None:
    """Lines → taxes by rate → totals → payable, in whole cents; taxes included, payable is the sum of what was announced."""
    known = tuple(_cdr_row(index, net, vat, included) for index, (net, vat, _) in enumerate(given_rows, 1))
    [draft] = compose(Account(customer=CUSTOMER, rows=known), date(2026, 3, 1), {}, HOUSE, {}, NOW)
    totals = draft.totals
    assert [line.number for line in draft.lines] == list(range(1, len(known) + 1))
    assert total(line.net.amount for line in draft.lines) == totals.net.amount == total(each.base.amount for each in draft.taxes)
    assert total(each.tax.amount for each in draft.taxes) == totals.tax.amount
    assert totals.net.amount + totals.tax.amount == totals.gross.amount
    assert totals.gross.amount + totals.rounding.amount == totals.payable.amount
    for each in draft.taxes:
        mine = [line for line in draft.lines if (line.vat, line.category) == (each.vat, each.category)]
        assert each.base.amount == total(line.net.amount for line in mine)
        assert abs(each.tax.amount - each.base.amount * (each.vat or Decimal(0)) / 100) <= Decimal("0.005")
    if included:
        assert totals.payable.amount == total(line.gross.amount for line in draft.lines)
        assert abs(totals.rounding.amount) <= Decimal("0.02") * len(draft.taxes)
    else:
        assert totals.rounding.amount == 0
        assert [line.net.amount for line in draft.lines] == [round_amount(row.before_taxes, 2) for row in cancelled_out(known)]


@given(rows)
def test_control_totals_are_those_of_the_statement(given_rows: list[tuple[Decimal, Decimal | None, bool]]) -> None:
    """The vectorised twin gives the same cents: net, tax and payable."""
    known = tuple(_cdr_row(index, net, vat, False) for index, (net, vat, _) in enumerate(given_rows, 1))
    [draft] = compose(Account(customer=CUSTOMER, rows=known), date(2026, 3, 1), {}, HOUSE, {}, NOW)
    numbers: dict[str, int] = {}
    made = month_totals(lines_of(known, numbers, "EUR"), len(numbers))
    totals = draft.totals
    assert [int(each[0]) for each in (made.net, made.tax, made.payable)] == [
        int(money.amount * 100) for money in (totals.net, totals.tax, totals.payable)
    ]


@given(rows)
def test_a_statement_and_its_credit_note_are_nothing(given_rows: list[tuple[Decimal, Decimal | None, bool]]) -> None:
    """Every line, tax and total is taken back exactly."""
    known = tuple(_cdr_row(index, net, vat, False) for index, (net, vat, _) in enumerate(given_rows, 1))
    [draft] = compose(Account(customer=CUSTOMER, rows=known), date(2026, 3, 1), {}, HOUSE, {}, NOW)
    final = finalized(draft, 1, NOW, 14)
    note = credit_note(final, 1, "CN", NOW, "wrong")
    assert [one.net.amount + other.net.amount for one, other in zip(final.lines, note.lines, strict=True)] == [0] * len(known)
    for name in final.totals.__struct_fields__:
        assert getattr(final.totals, name).amount + getattr(note.totals, name).amount == 0


def test_taxes_included_is_what_the_driver_was_told() -> None:
    """A hundred sessions of 5.00 with 19 % in it are 500.00, though a hundred nets of 4.20 would be 499.80."""
    net = Decimal(5) / Decimal("1.19")
    known = tuple(
        msgspec.structs.replace(
            _cdr_row(index, net, Decimal(19), True), after_taxes=Decimal(5), rates=(RateSum(Decimal(19), net, Decimal(5)),)
        )
        for index in range(1, 101)
    )
    assert TARIFF.tax_included is TaxIncluded.NO
    [draft] = compose(Account(customer=CUSTOMER, rows=known), date(2026, 3, 1), {}, HOUSE, {}, NOW)
    assert (draft.totals.payable.amount, draft.totals.net.amount, draft.totals.tax.amount) == (
        Decimal("500.00"), Decimal("420.17"), Decimal("79.83"),
    )  # fmt: skip
