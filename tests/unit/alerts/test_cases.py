"""Findings become cases as the table of their life says, and each change says why."""

from __future__ import annotations

from datetime import timedelta

import pytest

from alerts.case import LIFE, State, Step, acknowledged, resolved
from alerts.cases import Policy, Proof
from chargenet.errors import Conflict
from tests.support.cases import CLEAR_S, NOW, World, case, finding, whats

OUTAGE = finding(None, None, kind="SiteOffline", group="site:A", severity="critical", summary="all charge points are gone")


def test_a_finding_opens_one_case_with_its_evidence() -> None:
    """Found again and again, it stays one case; repeats within one judgement count once."""
    world = World()
    assert whats(world.find(finding(), finding())) == ["opened"]
    assert world.find(finding(), after_s=60) == []
    assert (world.only.state, world.only.site_id, world.only.evidence[0].sequences) == (State.OPEN, "A", (7,))


def test_a_weak_finding_opens_nothing_and_keeps_what_is_open() -> None:
    """Hysteresis: half as sure is not enough to open a case, and enough to keep it."""
    world = World()
    assert world.find(finding(score=0.4)) == []
    world.find(finding(score=0.9))
    assert whats(world.find(finding(score=0.3), after_s=10_000)) == ["seen"]
    assert whats(world.find(finding(score=0.1), after_s=10)) == ["gone"]


def test_a_case_clears_when_its_finding_was_gone_for_long_enough() -> None:
    """Not at once: a fault that is back within the clear time never ended."""
    world = World()
    world.find(finding())
    assert whats(world.find(after_s=30)) == ["gone"]
    assert whats(world.find(finding(), after_s=CLEAR_S - 1)) == ["seen"]
    assert whats(world.find(after_s=30)) == ["gone"]
    [change] = world.find(after_s=CLEAR_S)
    assert (change.what, change.why, change.case.state) == ("resolved", "not found any more for 2 min", State.RESOLVED)


def test_what_was_not_looked_for_does_not_clear() -> None:
    """Judging one charge point says nothing about the others."""
    world = World()
    world.find(finding("CP-1"), finding("CP-2"))
    assert whats(world.find(scope=lambda known: known.charge_point_id == "CP-1", after_s=9)) == ["gone"]
    assert world.cases["CP-2/1", "ConnectorFaulted"].gone_since is None


def test_a_good_session_confirms() -> None:
    """Where absence proves nothing the case waits for a session that delivered energy; an older one does not count."""
    world = World(Policy(needs_good_session=True, clear_s=CLEAR_S))
    world.find(finding())
    world.proofs["CP-1/1"] = Proof(NOW - timedelta(hours=1), "session 1 delivered 9 kWh")
    assert whats(world.find(after_s=60)) == ["gone"]
    assert world.find(after_s=86_400) == []
    world.proofs["CP-1/1"] = Proof(world.now, "session 2 delivered 9 kWh")
    [change] = world.find(after_s=60)
    assert (change.what, change.why) == ("resolved", "confirmed by a good session: session 2 delivered 9 kWh")


def test_what_nobody_uses_is_forgotten_in_the_end() -> None:
    """A connector that nobody comes to gives no proof; its case does not stay open for ever."""
    world = World(Policy(needs_good_session=True, forget_s=7200))
    world.find(finding())
    world.find(after_s=1)
    [change] = world.find(after_s=7200)
    assert change.why == "neither found nor disproved for 2 h"


def test_what_comes_back_soon_is_the_same_case_and_clears_more_slowly() -> None:
    """A flapping fault is one case that is told of less and less often, not a new case each time."""
    world = World()
    world.find(finding())
    for round_ in range(1, 4):
        world.find(after_s=1)
        wait = CLEAR_S * 2 ** (round_ - 1)
        assert world.find(after_s=wait - 2) == []
        assert whats(world.find(after_s=2)) == ["resolved"]
        [change] = world.find(finding(began_at=world.now), after_s=5)
        assert (change.what, change.case.times_reopened, change.case.case_id) == ("reopened", round_, 1)
        assert change.case.began_at >= world.now - timedelta(seconds=5)


def test_what_comes_back_after_the_cool_down_is_a_new_case() -> None:
    """Last month's fault is not this one."""
    world = World(Policy(clear_s=0, cool_down_s=600))
    world.find(finding())
    world.find(after_s=1)
    [change] = world.find(finding(), after_s=601)
    assert (change.what, change.case.case_id) == ("opened", 2)


def test_a_site_outage_is_one_case_to_tell_of() -> None:
    """Forty charge points are gone: their cases are there, explained; one notice leaves. When the site is back and one of
    them is not, that one is told of."""
    offline = [finding(f"CP-{number}", None, kind="Offline") for number in range(40)]
    world = World(Offline=Policy(clear_s=CLEAR_S, explained_by=frozenset({"SiteOffline"})))
    changes = world.find(*offline, OUTAGE)
    assert len(changes) == 41
    assert [case.thing for case in world.tell()] == ["site:A"]
    assert changes[1].why == "explained by case 1: site:A SiteOffline"
    world.find(offline[7], after_s=600)
    world.find(offline[7], after_s=CLEAR_S)
    assert [case.state for case in world.tell()] == [State.RESOLVED]
    [shown] = world.find(offline[7], after_s=1)
    assert (shown.what, [case.thing for case in world.tell()]) == ("shown", ["CP-7"])


def test_planned_work_masks_and_keeps_visible() -> None:
    """A masked case is open and not told of; what it still is when the work is over, is told."""
    world = World()
    world.masks["CP-1"] = "new cable until 05:00"
    [change] = world.find(finding())
    assert (change.why, world.tell()) == ("planned work: new cable until 05:00", [])
    world.masks.clear()
    assert whats(world.find(finding(), after_s=60)) == ["shown"]
    assert len(world.tell()) == 1


def test_what_began_and_ended_hidden_is_never_told() -> None:
    """Nobody wants to hear that planned work is over."""
    world = World(Policy(clear_s=0))
    world.masks["CP-1"] = "work"
    world.find(finding())
    world.find(after_s=1)
    assert (world.only.state, world.tell()) == (State.RESOLVED, [])


def test_a_case_that_gets_worse_is_told_again_and_one_that_gets_better_is_not() -> None:
    """Severity rises at once and does not fall while the case is open."""
    world = World()
    world.find(finding())
    world.tell()
    assert whats(world.find(finding(severity="critical"))) == ["worse"]
    assert [case.severity for case in world.tell()] == ["critical"]
    world.find(finding(severity="info"))
    assert (world.only.severity, world.tell()) == ("critical", [])


def test_somebody_resolves_and_the_evidence_gets_time_to_follow() -> None:
    """Resolved by hand, a case does not come back within its clear time; found after that, it does."""
    world = World()
    world.find(finding())
    world.keep([resolved(world.only, "ops", "cable changed", world.now)])
    assert world.find(finding(), after_s=CLEAR_S - 1) == []
    assert whats(world.find(finding(), after_s=2)) == ["reopened"]


def test_the_table_is_the_whole_life() -> None:
    """A person can take a case that is open, end one that is not resolved, and nothing else."""
    for state in State:
        for step, act in ((Step.ACKNOWLEDGE, acknowledged), (Step.RESOLVE, resolved)):
            there = case(state=state)
            if (state, step) in LIFE:
                assert act(there, "ops", "", NOW).case.state == LIFE[state, step]
            else:
                with pytest.raises(Conflict, match=f"case 1 is {state} already"):
                    act(there, "ops", "", NOW)
