"""How rollouts look on a screen: what the API answers, drawn, and what a person can do named."""

from __future__ import annotations

from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType

from chargewatch.cli.rollout_view import line, plan_view, stand, view, waits_for_a_person, what_can_be_done
from firmware_orchestrator.rollout import RolloutState, UpdateState
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.rollout_world import World

SPEC = """\
name: new
artifact: acme-2.4.1
target: {all: true}
waves: {sizes: ["2", "rest"], holdout: "1", seed: 3}
soak: {at_least: 2m, at_most: 1h}
gate: {good_sessions: 0, settle_minutes: 0}
windows: {open: [{from: "11:00", to: "13:00"}], time_zone: UTC}
approve_before: [last]
"""


def answered(value: Any) -> dict[str, Any]:
    """As the API says it."""
    return msgspec.json.decode(msgspec.json.encode(value), type=dict[str, Any])


def drawn(what: RenderableType, width: int = 120) -> str:
    """As text."""
    console = Console(width=width, record=True, file=StringIO())
    console.print(what)
    return console.export_text()


async def begun() -> World:
    """Six charge points; the rollout is started, and two ticks old."""
    world = World(MemoryRollouts(), [f"CP-{number}" for number in range(1, 7)], SPEC)
    await world.started("new")
    for _ in range(2):
        await world.tick()
    return world


async def test_a_running_rollout_is_drawn_and_logged() -> None:
    """Waves, charge points under way, verdict and every signal; the line for a log has the same in short."""
    found = answered(await (await begun()).desk.status("new"))
    text = drawn(view(found))
    for words in ("new → 2.4.1: running", "canary", "holdout", "INCONCLUSIVE: 2 installations", "offline episodes", "0 of 0"):
        assert words in text
    assert "CP-" in text and "accepted" in text, "those under way"
    assert not waits_for_a_person(found) and what_can_be_done(found) == []
    assert line(found).startswith("new is running: canary dispatching: 2 sent; 1 pending: 3 queued | 2 installations")
    assert stand(found) == stand({**found, "updates": []}), "what no person can see is nothing new"


async def test_on_a_small_screen_the_list_of_charge_points_is_left_out_first() -> None:
    """20 lines have the waves, the verdict and all the evidence."""
    found = answered(await (await begun()).desk.status("new"))
    text = drawn(view(found, 20), 100)
    assert len(text.splitlines()) <= 20 and "lost charge points" in text and "accepted" not in text


@pytest.mark.parametrize(
    ("state", "reason", "waits", "says"),
    [
        ("draft", "", True, ["start", "abort"]),
        ("held", "approval", True, ["approve", "abort", "rollback"]),
        ("held", "no_data", False, ["by itself", "abort"]),
        ("halted", "evidence", True, ["abort", "rollback", "resume new --why"]),
        ("paused", "operator", True, ["resume", "abort", "rollback"]),
        ("aborted", "operator", True, ["rollback"]),
        ("finished", "", True, []),
    ],
)
async def test_what_a_person_can_do_is_named(state: str, reason: str, waits: bool, says: list[str]) -> None:
    """Each state has its commands; a watch ends where nothing happens without one."""
    found = answered(await (await begun()).desk.status("new"))
    found |= {"state": state, "reason": reason}
    assert all(word in sentence for word, sentence in zip(says, what_can_be_done(found), strict=True))
    under_way = RolloutState(state) not in (RolloutState.FINISHED, RolloutState.ABORTED)
    assert waits_for_a_person(found) is (waits and not under_way), "orders under way are followed to their end"
    assert waits_for_a_person({**found, "counts": {UpdateState.HEALTHY: 2}}) is waits


async def test_a_draft_says_who_was_drawn() -> None:
    """Every charge point by name, in its wave or in the holdout."""
    world = World(MemoryRollouts(), [f"CP-{number}" for number in range(1, 7)], SPEC)
    await world.desk.create(SPEC, "ann")
    text = drawn(view(answered(await world.desk.status("new"))))
    assert all(text.count(f"CP-{number}") == 1 for number in range(1, 7))


async def test_a_plan_is_drawn() -> None:
    """Who is in which wave, which one waits for a person, the windows, and for every reason one line with those that are out."""
    world = World(MemoryRollouts(), [f"CP-{number}" for number in range(1, 9)], SPEC)
    for name in ("CP-1", "CP-2"):
        world.devices[name].connected = False
    text = drawn(plan_view(answered(await world.desk.plan(SPEC))), 200)
    assert "waits for a person" in text and "begins by itself" in text and "never updated by this rollout" in text
    assert "window: 6 charge points, UTC: 2026-03-02 12:00Z to 2026-03-02 13:00Z, then 2026-03-03 11:00Z" in text
    assert "out: CP-1, CP-2 (2 charge points): is offline" in text
    assert "note: the firmware has 0 of 1 approvals: it must be approved before the start" in text
    nobody = await world.desk.plan(SPEC.replace("{all: true}", "{vendors: [Nobody]}"))
    assert "out: 8 charge points are not named by the target" in drawn(plan_view(answered(nobody)), 200)
