"""Going back, and whose a charge point is while one rollout follows another."""

from __future__ import annotations

import asyncio

import pytest

from chargenet.errors import Conflict
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.rollout import RolloutState, UpdateState
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.firmware_files import artifact, manifest
from tests.support.rollout_life import NAMES, SPEC, begun, rows, state, ticks, until
from tests.support.rollout_world import OLD, World


async def test_going_back_is_a_rollout_of_its_own() -> None:
    """Only where something was installed; its canary is one of those."""
    world = await begun()
    with pytest.raises(Conflict, match="does not allow a downgrade"):
        await world.desk.rollback("new", "ann", "acme-2.3.0")


def former(world: World) -> None:
    """The shelf has the version that everybody had, and it may be gone back to."""
    new, old = world.image, artifact(manifest(name="acme-2.3.0", version=OLD, release=1, downgrade_allowed=True))

    async def shelf(artifact_id: str) -> Artifact:
        return old if artifact_id == old.artifact_id else new

    world.artifact = world.usable = shelf  # type: ignore[method-assign]


async def test_going_back_goes_beyond_its_canary_and_finishes() -> None:
    """Given up after two had it: one goes back first, then the other, each wave after a person's yes; nobody else is touched."""
    world = await begun()
    await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY)
    bad = sorted(each.charge_point_id for each in await rows(world))
    await world.desk.abort("new", "ann", "halted")
    former(world)
    back = await world.desk.rollback("new", "ann", "acme-2.3.0")
    await world.desk.start(back.rollout_id, "ann")
    yes = 0
    for _ in range(400):
        rollout = await world.kept.rollout(back.rollout_id)
        if rollout.state is RolloutState.FINISHED:
            break
        if rollout.state is RolloutState.HELD:
            assert sum(world.devices[name].version == OLD for name in bad) == 1 + yes, "one more with each wave"
            await world.desk.approve(back.rollout_id, "ann", "it is well")
            yes += 1
        await world.tick()
    assert (rollout.state, yes) == (RolloutState.FINISHED, 2)
    assert {device.version for device in world.devices.values()} == {OLD}
    assert {name: len(device.orders) for name, device in world.devices.items()} == {name: 2 * (name in bad) for name in NAMES}
    assert "RolloutFinished" in {each.kind for each in world.told if each.labels.get("rollout") == back.rollout_id}


async def test_what_comes_late_goes_back_too() -> None:
    """One is verified, one is being updated: the first goes back, and it is said that the other will have to; then it can."""
    world = await begun(SPEC + "caps: {overall: 1}\n")
    await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY, UpdateState.DOWNLOADING)
    former(world)
    back = await world.desk.rollback("new", "ann", "acme-2.3.0")
    first = [each.charge_point_id for each in await world.kept.updates(back.rollout_id)]
    assert (back.state, len(first)) == (RolloutState.DRAFT, 1)
    assert back.sentence == "1 charge point is still being updated: roll back once more when that has ended"
    assert await state(world) is RolloutState.ROLLED_BACK
    await ticks(world, 30)
    again = await world.desk.rollback("new", "ann", "acme-2.3.0")
    both = {each.charge_point_id for each in await world.kept.updates(again.rollout_id)}
    assert len(both) == 2 and both > set(first) and again.sentence == ""


async def test_what_cannot_go_back_does_not_end_the_rollout() -> None:
    """Nobody could be sent the former image: that is said, and the rollout is as it was."""
    world = await begun()
    await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY)
    former(world)
    world.url_length = 3000
    with pytest.raises(Conflict, match=r"nobody would be updated by this rollout, for example CP-\d: takes addresses of 512"):
        await world.desk.rollback("new", "ann", "acme-2.3.0")
    assert await state(world) is RolloutState.RUNNING


async def test_two_rollouts_never_have_the_same_charge_points() -> None:
    """Updated ones and the holdout of one that goes on are what it learns from: no other rollout may have them before its end."""
    world = await begun()
    await until(world, UpdateState.HEALTHY)
    plan = await world.desk.plan(SPEC.replace("name: new", "name: other"))
    assert plan.members == 0 and len(plan.out) == len(NAMES)
    assert {each.sentence for each in plan.out} == {"the rollout new has it and has not ended"}
    await world.desk.abort("new", "ann")
    await ticks(world, 2)
    assert (await world.desk.plan(SPEC.replace("name: new", "name: other"))).members == 3


async def test_of_two_that_start_at_once_one_does() -> None:
    """Two drafts over the same charge points, two people, the same moment: the second is told who has them."""
    world = World(MemoryRollouts(), NAMES, SPEC)
    drafts = [await world.desk.create(SPEC, "ann"), await world.desk.create(SPEC.replace("seed: 3", "seed: 4"), "bob")]
    started = await asyncio.gather(*(world.desk.start(each.rollout_id, "ann") for each in drafts), return_exceptions=True)
    [refused] = [each for each in started if isinstance(each, Conflict)]
    assert "want some of these charge points: CP-1 (new" in str(refused)
    assert len(await world.kept.active()) == 1
