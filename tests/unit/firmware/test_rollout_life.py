"""What happens to a rollout and its charge points between `start` and its end, tick by tick, over a clock that stands still."""

from __future__ import annotations

from typing import Any

import pytest

from chargenet.errors import Conflict
from firmware_orchestrator.rollout import UNDER_WAY, RolloutState, UpdateState
from tests.support.rollout_life import SPEC, begun, orders, rows, state, ticks, until
from tests.support.rollout_world import NEW, OLD, World

# -- stopped by a person


async def test_a_pause_stops_what_is_not_sent_and_resume_goes_on() -> None:
    """Not one order leaves while it is paused; what is under way goes on; then the rest follows."""
    world = await begun(SPEC.replace('"2", "rest"', '"3", "rest"') + "caps: {overall: 1}\n")
    await ticks(world, 2)
    assert orders(world) == 1
    await world.desk.pause("new", "ann", "storm")
    await ticks(world, 30)
    assert orders(world) == 1 and await state(world) is RolloutState.PAUSED
    assert [each.state for each in await rows(world) if each.attempt] == [UpdateState.HEALTHY]
    await world.desk.resume("new", "ann")
    await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY)
    assert orders(world) == 3


@pytest.mark.parametrize(("protocol", "taken_back"), [("ocpp2.0.1", True), ("ocpp1.6", False)])
async def test_a_pause_takes_back_what_can_be_taken_back(protocol: str, taken_back: bool) -> None:
    """2.x: another order that fetches nothing takes the place of the one under way, and what it says of that is not its failure.
    1.6 plain knows no taking back: it goes on. After `resume` all are updated."""
    world = await begun(protocol=protocol)
    await ticks(world, 2)
    _, agreed = await world.desk.pause("new", "ann", "wrong file", recall=True)
    assert agreed == (sorted(each.charge_point_id for each in await rows(world)) if taken_back else [])
    await ticks(world, 12)
    expected = {UpdateState.QUEUED} if taken_back else {UpdateState.VERIFIED}
    assert {each.state for each in await rows(world)} == expected and await state(world) is RolloutState.PAUSED
    await world.desk.resume("new", "ann")
    assert all(device.version == NEW for device in await updated(world))


async def updated(world: World) -> list[Any]:
    """The charge points of the canary, once all of it is verified."""
    return [world.devices[each.charge_point_id] for each in await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY)]


async def test_an_abort_leaves_as_is() -> None:
    """What waits is withdrawn, what is under way is followed to its end, and it is over for good."""
    world = await begun(SPEC + "caps: {overall: 1}\n")
    await ticks(world, 2)
    await world.desk.abort("new", "ann", "not today")
    sent = next(each for each in await rows(world) if each.attempt)
    await ticks(world, 30)
    after = {each.charge_point_id: each for each in await world.kept.updates("new")}
    assert after[sent.charge_point_id].state is UpdateState.HEALTHY and orders(world) == 1
    assert {each.state for each in after.values()} == {UpdateState.HEALTHY, UpdateState.WITHDRAWN, UpdateState.HOLDOUT}
    with pytest.raises(Conflict, match="that is final"):
        await world.desk.resume("new", "ann")


async def test_a_wave_waits_for_its_approval_and_the_history_says_who_gave_it() -> None:
    """`approve_before: [canary]`: held, told, and nothing sent until somebody approves."""
    world = await begun(SPEC + "approve_before: [canary]\n")
    await ticks(world, 3)
    assert await state(world) is RolloutState.HELD and orders(world) == 0
    assert [(each.kind, each.details["reason"]) for each in world.told] == [("RolloutHeld", "approval")]
    await world.desk.approve("new", "ann", "tested in the lab")
    await ticks(world, 2)
    assert orders(world) == 2
    assert [each.resolved_at is not None for each in world.told] == [False, True]
    [line] = [each for each in (await world.kept.history("new")).items if each.who == "ann"]
    assert line.sentence == "tested in the lab"


# -- stopped by the gate


async def test_a_lost_canary_halts_it_and_an_override_keeps_the_values_of_its_moment() -> None:
    """LOST in the canary is a hard rule; going on needs a reason, and what was seen then is on record and is not asked again."""
    world = await begun()
    await ticks(world, 2)
    lost = next(world.devices[each.charge_point_id] for each in await rows(world))
    lost.due = [(each, step) for each, step in lost.due if step not in ("back", "Installed")]
    for _ in range(250):
        await world.tick()
        if await state(world) is RolloutState.HALTED:
            break
    rollout = await world.kept.rollout("new")
    assert rollout.reason == "hard_rule:lost" and lost.name in rollout.sentence
    assert {each.kind for each in world.told} == {"ChargePointLost", "RolloutHalted"}
    with pytest.raises(Conflict, match="say why"):
        await world.desk.resume("new", "ann")
    await world.desk.resume("new", "ann", "its fuse was pulled")
    [line] = [each for each in (await world.kept.history("new")).items if each.kind == "override"]
    assert (line.who, line.sentence) == ("ann", "its fuse was pulled")
    assert line.details["outcome"] == "FAIL" and set(line.details["signals"]) >= {"offline", "lost"} and line.details["limit"] == 20
    await ticks(world, 3)
    assert await state(world) is RolloutState.RUNNING, "what was accepted does not halt it again"


async def test_without_data_it_holds_and_goes_on_by_itself() -> None:
    """Everybody is gone: ERROR, held for data; nothing can be approved; they come back, and it runs again."""
    world = await begun()
    await until(world, UpdateState.VERIFIED)
    for device in world.devices.values():
        device.disconnect()
    await ticks(world, 3)
    rollout = await world.kept.rollout("new")
    assert (rollout.state, rollout.reason) == (RolloutState.HELD, "no_data")
    with pytest.raises(Conflict, match="nothing to approve"):
        await world.desk.approve("new", "ann")
    for device in world.devices.values():
        device.connect()
    await ticks(world, 3)
    assert await state(world) is RolloutState.RUNNING


async def test_a_wave_that_proves_nothing_waits_for_a_person() -> None:
    """No trouble for the whole soak: INCONCLUSIVE, held; approving it is an override on record, and the next wave begins."""
    world = await begun()
    await until(world, UpdateState.HEALTHY)
    for _ in range(400):
        await world.tick()
        if await state(world) is RolloutState.HELD:
            break
    assert (await world.kept.rollout("new")).reason == "inconclusive"
    await world.desk.approve("new", "ann", "quiet is good enough")
    await ticks(world, 3)
    assert (await world.kept.rollout("new")).wave == 1 and orders(world) == 5
    [line] = [each for each in (await world.kept.history("new")).items if each.kind == "override"]
    assert line.details["outcome"] == "INCONCLUSIVE" and line.who == "ann"


# -- retries


async def test_a_failed_download_is_tried_again_and_a_wrong_address_is_not() -> None:
    """DownloadFailed after a while: again after its delay. Within two seconds: the address, and no second order."""
    world = await begun()
    first, second = (world.devices[each.charge_point_id] for each in await rows(world))
    first.fails, second.fails = ["DownloadFailed"], ["DownloadFailed"]
    await ticks(world, 1)
    second.due = [(world.clock.monotonic(), "DownloadFailed")]
    second.live()
    ended = await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY, UpdateState.FAILED)
    done = {each.charge_point_id: each for each in ended}
    assert done[first.name].attempt == 2 and len(first.orders) == 2
    assert (done[second.name].state, done[second.name].code) == (UpdateState.FAILED, "address") and len(second.orders) == 1
    assert "the address, its protocol or its credentials" in done[second.name].reason


async def test_an_image_that_cannot_be_installed_is_not_tried_again() -> None:
    """InstallationFailed ends it; so does an invalid signature, which halts the rollout."""
    world = await begun()
    first, second = (world.devices[each.charge_point_id] for each in await rows(world))
    first.fails, second.fails = ["InstallationFailed"], ["InvalidSignature"]
    done = {each.charge_point_id: each for each in await until(world, UpdateState.FAILED)}
    assert (done[first.name].code, done[second.name].code) == ("install", "signature")
    assert len(first.orders) == len(second.orders) == 1
    assert (await world.kept.rollout("new")).reason == "hard_rule:invalid_signature"


# -- windows and caps


async def test_nothing_is_sent_outside_the_window_and_in_quiet_hours() -> None:
    """It is 12:00 UTC: the window opens at 13:00, and is quiet until 13:30."""
    windows = "windows: {open: [{from: '13:00', to: '17:00'}], quiet: [{from: '13:00', to: '13:30'}], time_zone: UTC}\n"
    world = await begun(SPEC + windows)
    await ticks(world, 3)
    assert {each.code for each in await rows(world)} == {"window"}
    await ticks(world, 6 * 89 - 3)
    assert orders(world) == 0, "13:29"
    await ticks(world, 9)
    assert orders(world) == 2


async def test_a_site_loses_no_more_than_its_cap() -> None:
    """All at one site, one at a time there: the second canary has no place in the wave, and later waves go one by one."""
    world = await begun(SPEC.replace('sizes: ["2"', 'sizes: ["1"'), site="garage")
    most = 0
    for _ in range(120):
        if await state(world) is RolloutState.FINISHED:
            break
        await world.tick()
        all_rows = await world.kept.updates("new")
        if any(each.state is UpdateState.HEALTHY for each in all_rows):
            holdout = next(each.charge_point_id for each in all_rows if each.wave == -1)
            world.devices[holdout].fault()
        most = max(most, sum(each.state in UNDER_WAY for each in all_rows))
    assert most == 1 and orders(world) == 5 and await state(world) is RolloutState.FINISHED
    verdict = (await world.desk.status("new")).verdict
    assert verdict is not None and verdict.outcome == "PASS", "what let the last wave pass is still shown"


# -- availability


async def test_a_busy_charge_point_is_closed_first_and_sent_the_order_when_its_sessions_have_ended() -> None:
    """`availability: close`: no new session begins, the present ones end, then the order; and it is opened again at the end."""
    world = await begun(SPEC + "availability: close\n", busy="a transaction is open")
    await ticks(world, 6)
    canary = [world.devices[each.charge_point_id] for each in await rows(world)]
    assert orders(world) == 0 and not any(device.operative for device in canary)
    assert sum(not device.operative for device in world.devices.values()) == 2, "nobody else is closed"
    for device in canary:
        device.busy = None
    await until(world, UpdateState.VERIFIED)
    await ticks(world, 1)
    assert all(device.operative and device.version == NEW and len(device.orders) == 1 for device in canary)


@pytest.mark.parametrize("ending", ["pause", "abort"])
async def test_what_was_closed_is_opened_in_every_ending(ending: str) -> None:
    """Paused or aborted while it waited for its sessions: it is in service again, and was never sent anything."""
    world = await begun(SPEC + "availability: close\n", busy="a transaction is open")
    await ticks(world, 3)
    await getattr(world.desk, ending)("new", "ann")
    await ticks(world, 3)
    assert all(device.operative and device.version == OLD for device in world.devices.values()) and orders(world) == 0


async def test_a_failed_update_is_opened_again() -> None:
    """FAILED, too, is an ending."""
    world = await begun(SPEC + "availability: close\n", fails=["InstallationFailed"])
    await until(world, UpdateState.FAILED)
    await ticks(world, 2)
    assert all(device.operative for device in world.devices.values())
    said = [each.sentence for each in (await world.kept.history("new")).items]
    assert "connectors 1 are in service again" in said


async def test_what_is_closed_is_opened_when_its_window_ends() -> None:
    """A charge point whose sessions do not end in time is not left out of service for the day."""
    windows = "windows: {open: [{from: '11:00', to: '13:00'}], time_zone: UTC, time_left: 5m}\n"
    world = await begun(SPEC + windows + "availability: close\n", busy="a transaction is open")
    await ticks(world, 3)
    assert sum(not device.operative for device in world.devices.values()) == 2
    await ticks(world, 6 * 60)
    assert all(device.operative for device in world.devices.values()) and orders(world) == 0


async def test_what_goes_away_after_it_was_verified_is_lost_in_the_end() -> None:
    """An absence within the soak is evidence; one of the whole soak, and of the patience for lost ones, ends the update."""
    world = await begun(SPEC.replace("lost: 20m", "lost: 4m"))
    await until(world, UpdateState.VERIFIED, UpdateState.HEALTHY)
    gone = next(world.devices[each.charge_point_id] for each in await rows(world) if each.state is UpdateState.VERIFIED)
    gone.disconnect()
    await ticks(world, 6 * 3)
    assert {each.state for each in await rows(world) if each.charge_point_id == gone.name} == {UpdateState.VERIFIED}
    await ticks(world, 6 * 2)
    [lost] = [each for each in await rows(world) if each.charge_point_id == gone.name]
    assert lost.state is UpdateState.LOST and "after it had come back well" in lost.reason
    assert [each.kind for each in world.told if each.labels.get("charge_point") == gone.name] == ["ChargePointLost"]
    assert (await world.kept.rollout("new")).reason == "hard_rule:lost"


# -- its end


async def test_the_evidence_of_one_that_has_ended_is_complete_not_stale() -> None:
    """Days after its end its status shows the verdict on what was seen, not that nothing is seen any more."""
    world = await begun()
    await until(world, UpdateState.HEALTHY)
    await world.desk.abort("new", "ann")
    await ticks(world, 2)
    world.clock.advance(10 * 86_400)
    verdict = (await world.desk.status("new")).verdict
    assert verdict is not None and verdict.code != "no_data", verdict


async def test_a_wave_does_not_wait_for_ever_for_one_that_stays_away() -> None:
    """Offline for as long as the file is patient: skipped, with the reason, and never sent anything; the wave goes on."""
    world = await begun(SPEC.replace("lost: 20m}", "lost: 20m, reach: 10m}"))
    gone = world.devices[(await rows(world))[0].charge_point_id]
    gone.disconnect()
    await ticks(world, 3)
    assert {each.code for each in await rows(world) if each.charge_point_id == gone.name} == {"offline"}
    ended = {each.charge_point_id: each for each in await until(world, UpdateState.HEALTHY, UpdateState.SKIPPED)}
    assert ended[gone.name].reason == "could not be sent for 10 min: is not connected"
    assert ended[gone.name].state is UpdateState.SKIPPED and gone.orders == []
