"""Each folder of tests/cases/billing is one way in which a transaction can be told: its reports, and what is billed, or why not.

Energies are Wh, times seconds after the first report; a period is [from, to, kind, Wh].
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from billing_reports.assemble import Assembled, assemble
from billing_reports.issue import BillingIssue
from tests.support.billing_story import told
from tests.support.facts import DAY

FOLDER = Path(__file__).parent / "billing"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())


def _seen(used: Assembled) -> dict[str, Any]:
    periods = [
        [
            (each.start_at - DAY).total_seconds(),
            (each.end_at - DAY).total_seconds(),
            each.kind.value if each.time_ms is None else f"{each.kind.value}, free",
            each.energy_wh,
        ]
        for each in used.usage.periods
    ]
    return {"energy_wh": used.usage.energy_wh, "periods": periods, "flags": list(used.flags), "estimated": used.estimated}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_story_is_billed_as_it_says(case: Path) -> None:
    """The periods, doubts and estimate of case.json, or the reason of its issue; parts sum to the whole."""
    story = json.loads((case / "case.json").read_text("utf-8"))
    row, evidence = await told(story["reports"], story.get("protocol", "ocpp1.6"))
    found = assemble(row, evidence, "Europe/Berlin")
    expected = story["expected"]
    if "issue" in expected:
        assert isinstance(found, BillingIssue), story["says"]
        assert (found.reason.value, found.sentence) == (expected["issue"], expected["sentence"]), story["says"]
        return
    assert isinstance(found, Assembled), found
    seen = _seen(found)
    assert {name: seen[name] for name in expected} == expected, story["says"]
    assert sum(each.energy_wh for each in found.usage.periods) == found.usage.energy_wh
    counted = [each.energy_wh for each in found.trace.points if each.energy_wh is not None]
    assert counted[-1] == found.usage.energy_wh and counted == sorted(counted)


def test_every_folder_is_a_case() -> None:
    """No folder is left out, and each one says what it shows."""
    assert len(CASES) >= 15
    for case in CASES:
        assert [each.name for each in case.iterdir()] == ["case.json"]
        assert json.loads((case / "case.json").read_text("utf-8"))["says"].endswith(".")
