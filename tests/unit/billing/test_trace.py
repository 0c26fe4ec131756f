"""From a priced line back to the reports, and what a later report does to a CDR."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec

from billing_reports.assemble import Assembled, assemble, settles_at
from billing_reports.cdr import Cdr
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.outcome import fresh, judged, reopened
from billing_reports.rate import Terms, cdr_id, rate
from billing_reports.sessions import SessionState
from billing_reports.tariff import Dimension, PriceComponent, Restrictions, Tariff, TariffElement
from billing_reports.tariff_book import Place
from billing_reports.trace import sequences_of, traced
from chargenet.model.transaction import Transaction
from tests.support.billing_story import told
from tests.support.facts import DAY

NOW = DAY + timedelta(days=1)
TARIFF = Tariff(
    id="t",
    currency="EUR",
    elements=(
        TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.30")),), Restrictions(max_kwh=Decimal(3))),
        TariffElement((PriceComponent(Dimension.ENERGY, Decimal("0.50")), PriceComponent(Dimension.PARKING_TIME, Decimal(6)))),
    ),
)
STORY: list[dict[str, Any]] = [
    {"is": "start", "at": 0, "wh": 1000},
    {"is": "status", "at": 5, "word": "Charging"},
    {"is": "reading", "at": 600, "wh": 3000},
    {"is": "reading", "at": 1200, "wh": 5000},
    {"is": "status", "at": 1200, "word": "SuspendedEV"},
    {"is": "stop", "at": 1800, "wh": 5000},
]


async def _cdr(reports: list[dict[str, Any]], revision: int = 1) -> tuple[Transaction, Cdr]:
    row, evidence = await told(reports)
    used = assemble(row, evidence, "UTC")
    assert isinstance(used, Assembled)
    made = rate(row, used, Place("CP1", "1", None), Terms(TARIFF), None, {}, cdr_id=cdr_id(1, revision), now=NOW)
    assert isinstance(made, Cdr)
    return row, made


async def test_every_line_leads_to_its_reports() -> None:
    """A threshold between two samples rests on both; idle time rests on the status that began it."""
    _, cdr = await _cdr(STORY)
    assert sequences_of(cdr) == [1, 2, 3, 4, 5, 6]
    lines = traced(cdr, ()).lines
    energy = [line for line in lines if line.dimension == "ENERGY"]
    assert [(int(line.measured), line.sequences) for line in energy] == [(3000, (1, 3, 4)), (1000, (3, 4))]
    assert energy[0].how.startswith("between 2000 Wh (record 3) and 4000 Wh (record 4) - 0 Wh (register 1000 Wh in record 1)")
    [idle] = [line for line in lines if line.dimension == "PARKING_TIME"]
    assert 5 in idle.sequences and "SuspendedEV (record 5)" in idle.how
    assert sum(line.before_taxes.amount for line in lines) == cdr.total.before_taxes == Decimal("2.40")


async def test_a_late_report_that_changes_nothing_makes_no_cdr() -> None:
    """A reading on the straight line: the CDR stays, only what was seen moves."""
    row, old = await _cdr(STORY)
    session = msgspec.structs.replace(fresh(row), state=SessionState.BILLED, cdr_id=old.id, revision=1)
    later, same = await _cdr([*STORY, {"is": "reading", "at": 300, "received": 4000, "wh": 2000}], 2)
    change = judged(session, later, same, old, NOW, 7)
    assert change.cdrs == ()
    assert (change.sessions[0].cdr_id, change.sessions[0].evidence_upto) == (old.id, 7)


async def test_a_late_report_that_changes_the_bill_makes_two() -> None:
    """A credit CDR and a new one; in sum the new price."""
    row, old = await _cdr(STORY)
    session = msgspec.structs.replace(fresh(row), state=SessionState.BILLED, cdr_id=old.id, revision=1)
    _, new = await _cdr([*STORY[:5], {"is": "stop", "at": 1800, "wh": 6000}], 2)
    change = judged(session, row, new, old, NOW, 9)
    credit, made = change.cdrs
    assert (credit.credit_reference_id, made.id, change.sessions[0].revision) == (old.id, "C000000001-2", 2)
    assert old.total.before_taxes + credit.total.before_taxes + made.total.before_taxes == Decimal("2.90")


async def test_an_issue_takes_the_cdr_back_and_so_does_going_on() -> None:
    """What cannot be billed any more is not billed; an estimated end that was none is taken back."""
    row, old = await _cdr(STORY)
    session = msgspec.structs.replace(fresh(row), state=SessionState.BILLED, cdr_id=old.id, revision=1)
    issue = BillingIssue(charge_point_id="CP1", transaction_id="T", reason=IssueReason.ENERGY_ABSURD, sentence="too much")
    change = judged(session, row, issue, old, NOW, 9)
    assert ([each.credit for each in change.cdrs], change.sessions[0].state, change.sessions[0].cdr_id) == ([True], "issue", None)
    again = reopened(session, row, old, NOW)
    assert ([each.credit for each in again.cdrs], again.sessions[0].state) == ([True], "open")


async def test_a_vehicle_that_stays_is_waited_for() -> None:
    """Until it has left, for as long as one waits; without a word about it, a minute; unplugged, not at all."""
    stop = {"is": "stop", "at": 1800, "wh": 5000, "reason": "Local"}
    stays = [*STORY[:5], stop, {"is": "status", "at": 1801, "word": "Finishing"}]
    left = [*stays, {"is": "status", "at": 2400, "word": "Available"}]
    wait = timedelta(hours=3)
    ended = DAY + timedelta(seconds=1800)
    cases = ((stays, ended + wait), (left, None), ([*STORY[:2], stop], ended + timedelta(seconds=60)), (STORY, None))
    for reports, expected in cases:
        row, evidence = await told(reports)
        assert settles_at(row, evidence, wait) == expected
