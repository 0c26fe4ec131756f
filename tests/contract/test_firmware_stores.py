"""What the store of rollouts promises: the fake, SQLite and a real PostgreSQL pass the same suite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from chargenet.errors import Conflict, NotFound
from chargenet.model.notice import Notice
from chargenet.storage.migrations import migrate
from chargenet.storage.relational_engine import Database
from firmware_orchestrator.rollout import RolloutState, UpdateState, WaveState
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout, WaveRow
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from firmware_orchestrator.storage.rollout_sql import SqlRollouts
from firmware_orchestrator.store import RolloutStore
from tests.support.postgres import Postgres, postgres

__all__ = ["postgres"]

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
KINDS = ["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.server("postgresql"))]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RolloutStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryRollouts()
        return
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.database()
    else:
        url = f"sqlite:///{tmp_path / 'x.sqlite'}"
    migrate(url)
    database = Database(url, timeout_s=5)
    yield SqlRollouts(database)
    await database.close()


def rollout(name: str = "r1", state: RolloutState = RolloutState.RUNNING, minutes: int = 0) -> Rollout:
    return Rollout(
        rollout_id=name, name=name, state=state, spec="name: x", artifact_id="a1", version="2.0", created_by="k1 tester",
        created_at=NOW + timedelta(minutes=minutes), waves=(WaveRow(state=WaveState.DISPATCHING, size=2, opened_at=NOW),),
    )  # fmt: skip


def update(name: str = "CP1", state: UpdateState = UpdateState.QUEUED, *, of: str = "r1", wave: int = 0) -> DeviceUpdate:
    return DeviceUpdate(rollout_id=of, charge_point_id=name, wave=wave, state=state, state_at=NOW, heard=("Downloading",))


def entry(sentence: str, of: str = "r1") -> Entry:
    return Entry(rollout_id=of, at=NOW, kind="update", charge_point_id="CP1", sentence=sentence, details={"e": 31.5})


async def test_a_rollout_and_its_updates_come_back_as_they_were(store: RolloutStore) -> None:
    """Every field survives, instants to the microsecond; updates by wave, then charge point."""
    rows = [update("B", wave=1), update("A", wave=1), update("Z", wave=0), update("H", UpdateState.HOLDOUT, wave=-1)]
    await store.create(rollout(), rows, [entry("made")])
    assert await store.rollout("r1") == rollout()
    assert [row.charge_point_id for row in await store.updates("r1")] == ["H", "Z", "A", "B"]
    assert (await store.updates("r1"))[1] == update("Z", wave=0)
    assert [each.sentence for each in (await store.history("r1")).items] == ["made"]


async def test_an_id_is_given_once(store: RolloutStore) -> None:
    """A second rollout of the same id is refused and changes nothing."""
    await store.create(rollout(), [update()])
    with pytest.raises(Conflict, match="already"):
        await store.create(rollout(), [])
    assert len(await store.updates("r1")) == 1
    with pytest.raises(NotFound):
        await store.rollout("r2")


async def test_a_change_is_stored_whole(store: RolloutStore) -> None:
    """Rollout, update, history, notice, evidence and position move together."""
    await store.create(rollout(), [update()])
    notice = Notice(
        key="rollout/r1", source="firmware", kind="RolloutHalted", severity="critical", title="t", text="x", labels={}, began_at=NOW
    )
    halted = msgspec.structs.replace(rollout(), state=RolloutState.HALTED)
    await store.change(
        Change(
            rollouts=(halted,),
            updates=(update(state=UpdateState.SENDING),),
            entries=(entry("one"), entry("two")),
            notices=(notice,),
            evidence={"r1": b"state"},
            position=(0, 7),
        )
    )
    assert (await store.rollout("r1")).state is RolloutState.HALTED
    assert (await store.rollout("r1")).revision == 1
    assert (await store.updates("r1"))[0].revision == 1
    assert [each.sentence for each in (await store.history("r1")).items] == ["two", "one"]
    assert await store.evidence("r1") == b"state" and await store.position() == 7
    [told] = await store.untold()
    assert told.notice == notice
    await store.told([told.number])
    assert await store.untold() == []


@pytest.mark.parametrize(
    "change",
    [
        Change(rollouts=(msgspec.structs.replace(rollout(), revision=3),), entries=(entry("x"),)),
        Change(updates=(msgspec.structs.replace(update(), revision=3),), entries=(entry("x"),)),
        Change(guards=(("r1", 3),), updates=(update(state=UpdateState.SENDING),), entries=(entry("x"),)),
        Change(position=(4, 9), updates=(update(state=UpdateState.SENDING),), entries=(entry("x"),)),
    ],
    ids=["rollout", "update", "guard", "position"],
)
async def test_what_changed_meanwhile_is_not_overwritten(store: RolloutStore, change: Change) -> None:
    """A stale revision, guard or position refuses the whole change."""
    await store.create(rollout(), [update()])
    await store.change(Change(position=(0, 2)))
    with pytest.raises(Conflict):
        await store.change(change)
    assert (await store.updates("r1"))[0] == update()
    assert await store.position() == 2
    assert (await store.history("r1")).items == []


async def test_a_guard_lets_an_intent_pass_and_stays(store: RolloutStore) -> None:
    """A guarded change of an update leaves the rollout as it is."""
    await store.create(rollout(), [update()])
    await store.change(Change(guards=(("r1", 0),), updates=(update(state=UpdateState.SENDING),)))
    assert (await store.rollout("r1")).revision == 0
    assert (await store.updates("r1"))[0].state is UpdateState.SENDING


async def test_active_are_those_that_something_can_happen_to(store: RolloutStore) -> None:
    """Drafts and ended rollouts are not, unless a charge point still has an update under way or closed connectors."""
    await store.create(rollout("draft", RolloutState.DRAFT), [update(of="draft")])
    await store.create(rollout("over", RolloutState.ABORTED), [update(of="over", state=UpdateState.WITHDRAWN)])
    await store.create(rollout("left", RolloutState.ABORTED, 1), [update(of="left", state=UpdateState.INSTALLING)])
    closed = msgspec.structs.replace(update(of="shut", state=UpdateState.FAILED), availability="closed")
    await store.create(rollout("shut", RolloutState.FINISHED, 2), [closed])
    await store.create(rollout("runs", RolloutState.PAUSED, 3), [update(of="runs")])
    assert [row.rollout_id for row in await store.active()] == ["left", "shut", "runs"]


async def test_a_charge_point_is_engaged_by_the_rollout_that_wants_it(store: RolloutStore) -> None:
    """Also one that it learns from, healthy or holdout; not by a draft, not one that it has lost; of an ended one what goes on."""
    states = (UpdateState.QUEUED, UpdateState.HEALTHY, UpdateState.HOLDOUT, UpdateState.LOST)
    await store.create(rollout("a"), [update(f"CP{number}", state, of="a") for number, state in enumerate(states, 1)])
    await store.create(rollout("b", RolloutState.DRAFT), [update("CP5", of="b")])
    ended = [update("CP6", UpdateState.INSTALLING, of="c"), update("CP7", UpdateState.VERIFIED, of="c")]
    await store.create(rollout("c", RolloutState.ABORTED), ended)
    wanted = [f"CP{number}" for number in range(1, 1200)]
    assert await store.engaged(wanted) == {"CP1": "a", "CP2": "a", "CP3": "a", "CP6": "c"}


async def test_listings_come_in_pages(store: RolloutStore) -> None:
    """Rollouts newest first, and history newest first; no row is missed or shown twice."""
    for number in range(5):
        await store.create(rollout(f"r{number}", minutes=number // 2), [])
    found, cursor = [], None
    while True:
        page = await store.rollouts(cursor=cursor, limit=2)
        found += [row.rollout_id for row in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert found == ["r4", "r3", "r2", "r1", "r0"]
    assert [row.rollout_id for row in (await store.rollouts(state="paused")).items] == []
    await store.change(Change(entries=tuple(entry(str(number), "r0") for number in range(5))))
    first = await store.history("r0", limit=3)
    second = await store.history("r0", cursor=first.next_cursor, limit=3)
    assert [each.sentence for each in (*first.items, *second.items)] == ["4", "3", "2", "1", "0"]
    assert len({each.number for each in (*first.items, *second.items)}) == 5
