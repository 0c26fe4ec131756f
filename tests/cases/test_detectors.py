"""Each folder of tests/cases/detectors is a story of attempts at one connector of a small network, and what is found after it.

story.yaml: `about`; `network` (arguments of tests.support.attempts.network); `then`: groups of attempts from its last day on,
each with `times`, `every_hours` and what tests.support.attempts.attempt takes; `everywhere: true` lets all connectors do the
same; `wait_days` before judging. findings.yaml: kind → what must be so: `severity`, `says` (parts of the summary), `evidence`
(parts of its sentences), `score` (at least). No other finding about the connector may be there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.detectors.statistics import judge
from alerts.finding import Finding
from tests.support.attempts import TRIED, attempt, day, network

FOLDER = Path(__file__).parent / "detectors"
CASES = sorted(path for path in FOLDER.iterdir() if path.is_dir())
STORY_KEYS = {"about", "network", "then", "wait_days"}
EXPECTED_KEYS = {"severity", "says", "evidence", "score"}


def tell(story: dict[str, Any]) -> list[Finding]:
    """What is found about the connector after the story."""
    told = story.get("network", {})
    history, now = network(**told), float(told.get("days", 60))
    sequence = 0
    for group in story["then"]:
        group = dict(group)
        times, every, everywhere = group.pop("times", 1), group.pop("every_hours", 6), group.pop("everywhere", False)
        outcome = group.pop("outcome", "good")
        for _ in range(times):
            now += every / 24
            sequence += 10
            keys = list(history.row_of) if everywhere else [TRIED]
            for key in keys:
                history.add(attempt(now, outcome, key=key, sequence=sequence, **group))
    now += 1 / 24 + story.get("wait_days", 0)
    return [each for each in judge(history, day(now)) if each.charge_point_id == TRIED[0]]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_detectors(case: Path) -> None:
    """The findings are those of findings.yaml, and no others."""
    assert {path.name for path in case.iterdir()} == {"story.yaml", "findings.yaml"}
    story = yaml.safe_load((case / "story.yaml").read_text())
    expected: dict[str, dict[str, Any]] = yaml.safe_load((case / "findings.yaml").read_text()) or {}
    assert set(story) <= STORY_KEYS and all(set(each) <= EXPECTED_KEYS for each in expected.values())
    found = {each.kind: each for each in tell(story)}
    assert set(found) == set(expected), {kind: each.summary for kind, each in found.items()}
    for kind, wanted in expected.items():
        finding = found[kind]
        evidence = " | ".join(each.what for each in finding.evidence)
        assert finding.severity == wanted.get("severity", "warning")
        assert all(part in finding.summary for part in wanted.get("says", [])), finding.summary
        assert all(part in evidence for part in wanted.get("evidence", [])), evidence
        assert finding.score >= wanted.get("score", 0.0), finding.score
