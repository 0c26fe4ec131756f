"""What alerts keep: the same on SQLite, on PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from alerts.case import Change, State, acknowledged, resolved
from alerts.maintenance import Window
from alerts.storage.cases_memory import MemoryCases
from alerts.storage.cases_sql import SqlCases
from alerts.store import CaseStore, Checkpoint, Piece
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.storage.relational import SqlStores
from tests.support.cases import NOW, case
from tests.support.postgres import postgres
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CaseStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryCases()
        return
    stores = open_stores(request, request.param, tmp_path)
    assert isinstance(stores, SqlStores)
    yield SqlCases(stores.database)
    await stores.close()


async def test_a_case_comes_back_as_it_was_saved(store: CaseStore) -> None:
    """Every field, evidence included; saving again replaces it and adds to its history only what is news."""
    first = case(summary="odd \u0000 text", group=None, masked_by="work", note="a note", acknowledged_at=NOW, acknowledged_by="ops")
    await store.save([Change(case=first, what="opened", why="seen")], NOW)
    found = await store.case(1)
    assert found is not None
    assert msgspec.structs.replace(found, summary=first.summary) == first
    await store.save([Change(case=first, what="seen", why="again")], NOW)
    done = resolved(first, "ops", "cable changed", NOW + timedelta(minutes=5))
    await store.save([done], NOW + timedelta(minutes=5))
    history = await store.history(1)
    assert [(line.what, line.who, line.state) for line in history] == [("opened", None, "open"), ("resolved", "ops", "resolved")]
    assert (await store.case(2), await store.history(2)) == (None, [])


async def test_ids_never_come_again(store: CaseStore) -> None:
    """Resolved cases keep theirs."""
    assert await store.next_id() == 1
    await store.save([Change(case=case(41, state=State.RESOLVED, resolved_at=NOW), what="resolved", why="")], NOW)
    assert await store.next_id() == 42


async def test_what_a_restart_needs(store: CaseStore) -> None:
    """Unresolved cases, those that may come back, and those whose end nobody was told of."""
    old = NOW - timedelta(days=2)
    rows = [
        case(1),
        case(2, state=State.RESOLVED, resolved_at=old, revision=2, told=2),
        case(3, state=State.RESOLVED, resolved_at=NOW, revision=2, told=2),
        case(4, state=State.RESOLVED, resolved_at=old, revision=2, told=1),
        case(5, state=State.RESOLVED, resolved_at=old, revision=2, told=0),
    ]
    await store.save([Change(case=row, what="opened", why="") for row in rows], NOW)
    assert [row.case_id for row in await store.current(NOW - timedelta(hours=1))] == [1, 3, 4]
    await store.mark_told({4: 2})
    assert [row.case_id for row in await store.current(NOW - timedelta(hours=1))] == [1, 3]


async def test_listings_filter_and_page(store: CaseStore) -> None:
    """Newest first; every filter narrows; a cursor of another listing is refused."""
    rows = [
        case(number, site_id="A" if number % 2 else "B", severity="critical" if number == 5 else "warning")
        for number in range(1, 8)
    ]
    rows[1] = msgspec.structs.replace(rows[1], state=State.RESOLVED, resolved_at=NOW)
    await store.save([Change(case=row, what="opened", why="") for row in rows], NOW)
    first = await store.cases(limit=3)
    second = await store.cases(limit=9, cursor=first.next_cursor)
    assert [row.case_id for row in first.items + second.items] == [7, 6, 5, 4, 3, 2, 1]
    assert [row.case_id for row in (await store.cases(is_open=False)).items] == [2]
    assert [row.case_id for row in (await store.cases(is_open=True, site_id="B")).items] == [6, 4]
    assert [row.case_id for row in (await store.cases(severity="critical")).items] == [5]
    assert (await store.cases(charge_point_id="CP-2")).items == []
    assert (await store.cases(kind="Offline")).items == []
    with pytest.raises(Conflict):
        await store.cases(cursor="x")


async def test_states_and_their_position_move_together(store: CaseStore) -> None:
    """A checkpoint that does not follow the last one changes nothing."""
    await store.checkpoint(Checkpoint(pieces=[Piece("b", b"1"), Piece("a", b"\x00")], after=0, upto=5))
    with pytest.raises(StoreUnavailable):
        await store.checkpoint(Checkpoint(pieces=[Piece("a", b"2")], after=4, upto=9))
    await store.checkpoint(Checkpoint(pieces=[Piece("b", b"3")], after=5, upto=9))
    assert await store.position() == 9
    assert [(each.name, each.state) for each in await store.pieces("", 10)] == [("a", b"\x00"), ("b", b"3")]
    assert [each.name for each in await store.pieces("a", 1)] == ["b"]
    await store.checkpoint(Checkpoint(pieces=[Piece("a", None), Piece("never", None)], after=9, upto=9))
    assert [each.name for each in await store.pieces("", 10)] == ["b"]
    await store.restart(7)
    assert (await store.position(), await store.pieces("", 10)) == (7, [])


async def test_people_and_detectors_write_the_same_history(store: CaseStore) -> None:
    """Who took it, and what they wrote, is there."""
    opened = case()
    taken = acknowledged(opened, "k1 night", "on my way", NOW)
    await store.save([Change(case=opened, what="opened", why="seen"), taken], NOW)
    assert [(line.what, line.why, line.who) for line in await store.history(1)] == [
        ("opened", "seen", None),
        ("acknowledged", "on my way", "k1 night"),
    ]


async def test_maintenance_windows(store: CaseStore) -> None:
    """They get ids, can be ended once, and are listed by whether they are over."""
    window = Window(
        window_id=0, site_id="A", begins_at=NOW, ends_at=NOW + timedelta(hours=2), reason="cable", created_by="ops", created_at=NOW
    )
    first, second = await store.add_window(window), await store.add_window(msgspec.structs.replace(window, site_id="B"))
    assert [row.window_id for row in (await store.windows()).items] == [second.window_id, first.window_id]
    ended = await store.end_window(first.window_id, "ops", NOW + timedelta(hours=1))
    assert (ended.ended_by, ended.active(NOW + timedelta(minutes=90)), second.active(NOW + timedelta(minutes=90))) == (
        "ops",
        False,
        True,
    )
    with pytest.raises(Conflict, match="is over already"):
        await store.end_window(first.window_id, "ops", NOW + timedelta(hours=1))
    with pytest.raises(NotFound):
        await store.end_window(99, "ops", NOW)
    assert [row.site_id for row in (await store.windows(ends_after=NOW + timedelta(minutes=90))).items] == ["B"]
    page = await store.windows(limit=1)
    assert [row.site_id for row in (await store.windows(limit=5, cursor=page.next_cursor)).items] == ["A"]
