"""A rollout over six charge points, tick by tick over a clock that stands still, for tests of what happens to it."""

from __future__ import annotations

from typing import Any

from firmware_orchestrator.rollout import RolloutState, UpdateState
from firmware_orchestrator.rows import DeviceUpdate
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.rollout_world import World

NAMES = tuple(f"CP-{number}" for number in range(1, 7))
SPEC = """\
name: new
artifact: acme-2.4.1
target: {all: true}
waves: {sizes: ["2", "rest"], holdout: "1", seed: 3}
soak: {at_least: 2m, at_most: 1h}
gate: {good_sessions: 0, settle_minutes: 0, beta: 0.9, rule_out: [20]}
patience: {answer: 60s, boot: 60s, download: 5m, verify: 10m, install: 10m, lost: 20m}
retries: {delays: [60s, 120s]}
"""


async def begun(spec: str = SPEC, **devices: Any) -> World:
    """Started; nothing is sent yet."""
    world = World(MemoryRollouts(), NAMES, spec)
    for device in world.devices.values():
        for name, value in devices.items():
            setattr(device, name, list(value) if isinstance(value, list) else value)
    await world.started("new")
    return world


async def rows(world: World, wave: int = 0) -> list[DeviceUpdate]:
    return [each for each in await world.kept.updates("new") if each.wave == wave]


async def ticks(world: World, count: int) -> None:
    for _ in range(count):
        await world.tick()


async def until(world: World, *states: UpdateState, wave: int = 0) -> list[DeviceUpdate]:
    """Ticks until all of the wave are in one of these."""
    for _ in range(400):
        if all(each.state in states for each in await rows(world, wave)):
            return await rows(world, wave)
        await world.tick()
    raise AssertionError([(each, each.reason) for each in await rows(world, wave)])


def orders(world: World) -> int:
    return sum(len(device.orders) for device in world.devices.values())


async def state(world: World) -> RolloutState:
    return (await world.kept.rollout("new")).state
