"""While the platform itself stood still, no charge point became worse: neither the gate nor an installation counts that time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chargenet import events as e
from chargenet.events import Fact
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.exposure import Exposure, Member
from firmware_orchestrator.rollout import UNDER_WAY, UpdateState
from tests.support.facts import at
from tests.support.rollout_life import begun, rows, ticks

MINUTE = 60


def closed(second: float) -> Fact:
    """CP-1 loses its connection."""
    return Fact(1, at(second), "CP-1", 1, "ocpp1.6", "", (e.ConnectionClosed(code=1006, reason="", lost=True, superseded=False),))


def exposure() -> Exposure:
    """Three charge points that nothing was done to; one has lost its connection."""
    made = Exposure(GatePolicy(), [Member(charge_point_id=f"CP-{number}") for number in range(3)], at(0))
    made.apply([closed(MINUTE)])
    made.advance(at(5 * MINUTE))
    return made


def offline(made: Exposure, until: datetime) -> list[int]:
    """When somebody was offline for too long, in microseconds, up to an instant."""
    made.advance(until)
    return [instant.at_us for instant in made.observed().instants if any(each.signal is Signal.OFFLINE for each in instant.counts)]


def test_who_was_away_before_has_the_rest_of_its_time() -> None:
    """Ten minutes without a connection are ten minutes in which it could have come back."""
    assert len(offline(exposure(), at(11 * MINUTE))) == 1
    paused = exposure()
    paused.stood_still(at(6 * MINUTE), at(66 * MINUTE))
    assert offline(paused, at(70 * MINUTE)) == []
    assert len(offline(paused, at(71 * MINUTE))) == 1


def test_nobody_is_at_risk_while_nobody_can_be_heard() -> None:
    """Time at risk is what was watched: the same as if the hour had not been."""
    watched, paused = exposure(), exposure()
    paused.stood_still(at(5 * MINUTE), at(65 * MINUTE))
    watched.advance(at(8 * MINUTE))
    paused.advance(at(68 * MINUTE))
    assert paused.observed().times == watched.observed().times


def test_a_standstill_counts_once() -> None:
    """Told again by the next tick, or after what came since, it changes nothing."""
    made = exposure()
    made.stood_still(at(6 * MINUTE), at(66 * MINUTE))
    made.advance(at(67 * MINUTE))
    before = made.encode()
    made.stood_still(at(6 * MINUTE), at(66 * MINUTE))
    assert made.encode() == before


@pytest.mark.parametrize("stood_still", [True, False])
async def test_an_installation_has_its_time_too(stood_still: bool) -> None:
    """A day in which the process was stopped: what is under way is not given up on waking, as it is after a day of silence."""
    world = await begun()
    await ticks(world, 2)
    assert UNDER_WAY & {each.state for each in await rows(world)}
    standstills = world.loop._standstills
    if stood_still:
        standstills.beat(world.clock.now(), world.clock.monotonic())
    world.clock.advance(timedelta(days=1).total_seconds())
    await world.loop.tick()
    for _ in range(3):
        world.clock.advance(2)
        await world.loop.tick()
    given_up = {each.state for each in await rows(world)} & {UpdateState.TIMED_OUT, UpdateState.LOST, UpdateState.RETRYING}
    assert bool(given_up) is not stood_still
