"""`chargewatch detect run`: what it prints of a finding, and of nothing."""

from __future__ import annotations

import pytest

from alerts.finding import Evidence, Finding
from alerts.judgement import Judged
from chargewatch.cli import detect
from tests.support.facts import at
from tests.unit.cli.conftest import Cli


def test_a_platform_without_findings_says_so(cli: Cli) -> None:
    """JSON on standard output; for people the count on standard error."""
    done = cli.api("detect", "run", "--json")
    assert (done.code, done.json["findings"]) == (0, []) and done.json["took_s"] >= 0
    done = cli.api("detect", "run")
    assert (done.code, done.out) == (0, "") and done.err.startswith("0 findings about ")


def test_a_hidden_finding_is_printed_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Where, what, the evidence with its records, what to do, and the work that hides it."""
    finding = Finding(
        kind="zero_energy", charge_point_id="CP-7", connector="1", severity="warning", score=0.98, began_at=at(0),
        summary="4 of the last 4 attempts gave no energy", evidence=(Evidence(what="none of four", sequences=(11, 12)),),
        action="Take it out of service.",
    )  # fmt: skip
    detect._print(Judged(finding=finding, case_id=3, state="open", masked_by="maintenance window 1: cable"))
    text = capsys.readouterr().out
    for part in ("zero_energy: CP-7 connector 1", "98%", "none of four (records 11, 12)", "Take it out of service.", "3 (open)"):
        assert part in text
    assert "hidden by maintenance window 1: cable" in text
    detect._print(Judged(finding=finding))
    assert "none yet: not sure enough" in capsys.readouterr().out
