"""A rollout killed before and after every step goes on from its store and the journal: nothing is sent twice, nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from chargenet.storage.migrations import migrate
from chargenet.storage.relational_engine import Database
from chargenet.storage.tables import cursors
from firmware_orchestrator.rollout import RolloutState, UpdateState
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from firmware_orchestrator.storage.rollout_sql import SqlRollouts
from firmware_orchestrator.storage.rollout_tables import ROLLOUT_TABLES
from firmware_orchestrator.store import RolloutStore
from tests.support.rollout_world import NEW, Killed, Steps, World, history_of

NAMES = ("CP-1", "CP-2", "CP-3", "CP-4")
SPEC = """\
name: new
artifact: acme-2.4.1
target: {all: true}
waves: {sizes: ["1", "rest"], holdout: "1", seed: 3}
soak: {at_least: 1m}
gate: {good_sessions: 0, settle_minutes: 0, beta: 0.9, rule_out: [20]}
availability: close
patience: {answer: 60s, boot: 60s, download: 5m, verify: 10m, install: 10m, lost: 20m}
retries: {delays: [30s]}
"""
TICKS = 150


async def lived(world: World) -> World:
    """From its creation to its end, with one death if there is one in the steps. One charge point that stays has a fault."""
    quiet = True
    for _ in range(TICKS):
        try:
            await world.started("new")
            await world.tick()
        except Killed:
            world.die()
            continue
        rows = await world.kept.updates("new")
        if quiet and any(each.state is UpdateState.HEALTHY for each in rows):
            quiet = False
            next(world.devices[each.charge_point_id] for each in rows if each.state is UpdateState.HOLDOUT).fault()
        if await finished(world):
            break
    return world


async def finished(world: World) -> bool:
    rows = await world.kept.updates("new")
    return all(each.state in (UpdateState.HEALTHY, UpdateState.HOLDOUT) for each in rows) and not await world.kept.untold()


async def check(world: World, expected: World, where: str) -> None:
    """As if nothing had happened: every order once, every charge point well and in service, the same story, and all of it told."""
    rollout, rows = await world.kept.rollout("new"), await world.kept.updates("new")
    assert rollout.state is RolloutState.FINISHED, (where, rollout.state, rollout.sentence, rows)
    for row in rows:
        device = world.devices[row.charge_point_id]
        stays = row.state is UpdateState.HOLDOUT
        assert len(device.orders) == (0 if stays else 1), (where, row.charge_point_id, device.orders)
        assert device.operative, (where, f"{row.charge_point_id} was left out of service")
        assert stays or (row.state is UpdateState.HEALTHY and device.version == NEW), (where, row)
    story = history_of((await world.kept.history("new", limit=1000)).items)
    assert story == history_of((await expected.kept.history("new", limit=1000)).items), (where, story)
    assert {each.key for each in world.told} == {each.key for each in expected.told}, where


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    opened = Database(url, timeout_s=5)
    yield opened
    await opened.close()


async def emptied(database: Database) -> RolloutStore:
    """A store with nothing in it; what a killed process still wrote has been written."""

    def work(connection: object) -> None:
        for table in (*ROLLOUT_TABLES, cursors):
            connection.execute(delete(table))  # type: ignore[attr-defined]  # a Connection

    await database.write(work)
    return SqlRollouts(database)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_step_with_the_store_in_memory() -> None:
    """Each step of the whole rollout in turn is the last one of the process."""
    expected = await lived(World(MemoryRollouts(), NAMES, SPEC))
    await check(expected, expected, "never killed")
    names = expected.steps.names
    assert len(names) > 100 and any("UpdateFirmware" in name for name in names)
    for number, name in enumerate(names):
        world = await lived(World(MemoryRollouts(), NAMES, SPEC, Steps(number)))
        await check(world, expected, f"killed at step {number}: {name}")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_kind_of_step_with_the_store_in_sqlite(database: Database) -> None:
    """The same, where a transaction is a real one: each kind of step once, the first time that it comes."""
    expected = await lived(World(await emptied(database), NAMES[:3], SPEC))
    names = expected.steps.names
    await check(expected, expected, "never killed")
    memory = await lived(World(MemoryRollouts(), NAMES[:3], SPEC))
    for name in dict.fromkeys(names):
        number = names.index(name)
        world = await lived(World(await emptied(database), NAMES[:3], SPEC, Steps(number)))
        await check(world, memory, f"killed at step {number}: {name}")
