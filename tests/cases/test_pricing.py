"""Each folder of tests/cases/pricing is one rule of pricing: a tariff, a session, and what it costs by hand.

The number before the name is the section of the rules: 3.4 restrictions, 3.5 choosing, 3.6 step size, 3.7 money, 3.8 clock changes.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from billing_reports.money import total
from billing_reports.ocpi import read_tariff
from billing_reports.price import price
from billing_reports.usage_file import read_usage

FOLDER = Path(__file__).parent / "pricing"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
FILES = {"tariff.json", "session.json", "expected.json"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_rule_holds(case: Path) -> None:
    """The totals and doubts are those in expected.json, to the last digit; the lines add up to them."""
    expected = json.loads((case / "expected.json").read_text("utf-8"))
    tariff = read_tariff((case / "tariff.json").read_bytes(), "tariff.json")
    priced = price(read_usage((case / "session.json").read_bytes(), "session.json").usage, tariff)
    cost = priced.totals.cost
    assert (cost.before_taxes, cost.after_taxes) == (Decimal(expected["before_taxes"]), Decimal(expected["after_taxes"])), expected[
        "says"
    ]
    assert list(priced.flags) == expected["flags"]
    parts: list[Any] = [*(line for period in priced.periods for line in period.lines), *priced.adjustments]
    assert total(each.before_taxes for each in parts) == cost.before_taxes
    assert total(each.after_taxes for each in parts) == cost.after_taxes


def test_every_folder_is_a_case() -> None:
    """No file here is left out, and each section of the rules has cases."""
    assert {case.name[:3] for case in CASES} == {"3.4", "3.5", "3.6", "3.7", "3.8"}
    for path in FOLDER.iterdir():
        assert {each.name for each in path.iterdir()} == FILES, path.name
