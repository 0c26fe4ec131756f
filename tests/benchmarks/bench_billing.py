"""What billing costs: totals of a million CDRs, a transaction to its CDR, a statement as PDF, and the statements of a big month.

On one core it is CPU time, the best of several times; the month runs in processes and is told by the clock on the wall.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from billing_reports.assemble import Assembled, assemble
from billing_reports.evidence import Evidence, Reading
from billing_reports.rate import Terms, rate
from billing_reports.render.statement_pdf import statement_pdf
from billing_reports.storage.packing import pack
from billing_reports.tariff_book import Place
from billing_reports.totals import Lines, month_totals
from chargenet.model.transaction import Transaction, TransactionState
from tests.support.billing_month import NOW, TARIFF, bill, fill, outcome
from tests.support.facts import DAY
from tests.support.statements import statement

CDRS = 1_000_000
CUSTOMERS = int(os.environ.get("BILLING_CUSTOMERS", "3000"))


@pytest.mark.benchmark
def test_totals_of_a_million_cdrs() -> None:
    """1 M CDRs of 540,000 customer-months to net, tax and payable in under two seconds."""
    rng = np.random.default_rng(1)
    customers = 540_000
    lines = Lines(
        rng.integers(0, customers, CDRS), rng.choice(np.array([19_000, 7_000, -1]), CDRS), rng.integers(-500, 5_000, CDRS)
    )
    seconds = []
    for _ in range(3):
        start = time.process_time()
        made = month_totals(lines, customers)
        seconds.append(time.process_time() - start)
    assert int(made.net.sum()) == int(lines.net.sum())
    print(json.dumps({"benchmark": "billing totals", "cdrs": CDRS, "customers": customers, "cpu_s": round(min(seconds), 3)}))
    assert min(seconds) < 2


@pytest.mark.benchmark
@pytest.mark.parametrize("sessions", [5, 24])
def test_statements_as_pdf(sessions: int) -> None:
    """One core, one document after the other; sessions with their registers, and a chart of the month."""
    made = statement(count=sessions)
    size, seconds = len(statement_pdf(made)), []
    for _ in range(20):
        start = time.process_time()
        statement_pdf(made)
        seconds.append(time.process_time() - start)
    figures = {"benchmark": "statement PDF", "sessions": sessions, "per_cpu_s": round(1 / min(seconds), 1), "bytes": size}
    print(json.dumps(figures))


@pytest.mark.benchmark
def test_assembling_and_pricing() -> None:
    """A transaction with 120 samples: from evidence to a CDR as it is stored."""
    row = Transaction(
        charge_point_id="CP", transaction_id="1", protocol="ocpp1.6", state=TransactionState.STOPPED, connector="1", began_at=DAY,
        ended_at=DAY + timedelta(hours=2), start_register_wh=0, stop_register_wh=40_000, first_sequence=1, last_sequence=200,
    )  # fmt: skip
    readings = tuple(
        Reading(sequence=number, at=DAY + timedelta(minutes=number), received_at=NOW, register_mwh=number * 333_000, power_w=20_000)
        for number in range(1, 120)
    )
    size, seconds = 0, []
    for _ in range(200):
        start = time.process_time()
        used = assemble(row, Evidence(readings=readings), "Europe/Berlin")
        assert isinstance(used, Assembled)
        cdr = rate(row, used, Place("CP", "1", None), Terms(TARIFF), None, {}, cdr_id="C1", now=NOW)
        size = len(pack(cdr))
        seconds.append(time.process_time() - start)
    assert cdr.total.before_taxes == Decimal(40_000) * Decimal("0.4217") / 1000  # type: ignore[union-attr]  # a CDR
    per_s = round(1 / min(seconds))
    print(json.dumps({"benchmark": "billing one transaction", "samples": 119, "per_cpu_s": per_s, "stored_bytes": size}))


@pytest.mark.benchmark
@pytest.mark.timeout(1800 + CUSTOMERS // 5)
def test_statements_of_a_month(tmp_path: Path) -> None:
    """Final statements with numbers, five CDRs each, in processes; BILLING_CUSTOMERS says how many."""
    url = f"sqlite:///{tmp_path / 'month.sqlite'}"
    asyncio.run(fill(url, CUSTOMERS, 5))
    start, used = time.perf_counter(), cpu_s()
    run = asyncio.run(bill(url, 500, workers=2))
    wall, used, held = time.perf_counter() - start, cpu_s() - used, peak_mb(resource.RUSAGE_SELF)
    assert run.finals == CUSTOMERS
    numbers, last = asyncio.run(outcome(url))
    assert (len(numbers), last) == (CUSTOMERS, CUSTOMERS)
    figures = {
        "benchmark": "billing run", "statements": CUSTOMERS, "cdrs": 5 * CUSTOMERS, "cpu_s": round(used), "wall_s": round(wall),
        "per_cpu_s": round(CUSTOMERS / used, 1), "parent_mb": held,
        "worker_mb": peak_mb(resource.RUSAGE_CHILDREN),
    }  # fmt: skip
    print(json.dumps(figures))


def cpu_s() -> float:
    """CPU seconds of this process and of its children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def peak_mb(whose: int) -> int:
    """Most memory that a process held, of Linux's KiB: of this one, or of the largest child that has ended."""
    return resource.getrusage(whose).ru_maxrss // 1024
