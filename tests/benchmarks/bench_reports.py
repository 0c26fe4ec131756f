"""Reports and statements: documents a second, and facts folded into rollups a second."""

from __future__ import annotations

import json
import time

import pytest

from billing_reports.render.documents import whole_pdf
from billing_reports.render.einvoice import einvoice_xml
from billing_reports.render.statement_pdf import statement_pdf
from billing_reports.rollup_fold import Fold
from billing_reports.rollup_rows import Emitted
from billing_reports.rollup_state import NetworkState, PointState
from billing_reports.statement import Statement
from tests.support.reports import Story
from tests.support.statements import statement

pytestmark = pytest.mark.benchmark


def rate(make: object, given: Statement, seconds: float = 3.0) -> float:
    """Calls a second on this core."""
    make(given)  # type: ignore[operator]  # fonts and caches
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        make(given)  # type: ignore[operator]
        count += 1
    return count / (time.perf_counter() - began)


def test_documents_a_second() -> None:
    """A driver's statement of five sessions with its details, a fleet's of 24, the e-invoice alone, and both in one."""
    few, many = statement("de", count=5), statement("de", count=24)
    rates = {
        "pdf_5_sessions_per_s": rate(statement_pdf, few), "pdf_24_sessions_per_s": rate(statement_pdf, many),
        "einvoice_5_lines_per_s": rate(einvoice_xml, few), "facturx_5_sessions_per_s": rate(whole_pdf, few),
    }  # fmt: skip
    print(json.dumps({"benchmark": "statement documents"} | {name: round(value, 1) for name, value in rates.items()}))
    assert all(value > 0 for value in rates.values())


def test_facts_folded_a_second() -> None:
    """Sessions with a reading a minute, as rollups take them in."""
    story = Story().opened(0)
    for number in range(200):
        at = number * 60
        story.status(at, "Charging").start(at, f"t{number}", number * 1000)
        for minute in range(1, 50):
            story.reading(at + minute, f"t{number}", number * 1000 + 20 * minute)
        story.stop(at + 50, f"t{number}", number * 1000 + 1000).status(at + 50, "Available")
    began = time.perf_counter()
    state, network, emitted = PointState(first_at=story.facts[0].received_at), NetworkState(), Emitted()
    fold = Fold(state, network, emitted)
    for fact in story.facts:
        fold.apply(fact)
    took = time.perf_counter() - began
    assert sum(each.sessions for each in emitted.amounts()) == 200
    print(json.dumps({"benchmark": "rollup fold", "facts": len(story.facts), "facts_per_s": round(len(story.facts) / took)}))
