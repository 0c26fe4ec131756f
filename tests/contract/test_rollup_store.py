"""What rollups keep: the same on SQLite, on PostgreSQL and in memory."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Connection

from billing_reports.rollup_projection import RollupProjection
from billing_reports.rollup_store import RollupStore
from billing_reports.rollups import HourRevenue
from billing_reports.sessions import Change
from billing_reports.storage.ledger_sql import SqlLedger, insert_cdrs
from billing_reports.storage.rollup_memory import MemoryRollups
from billing_reports.storage.rollup_sql import SqlRollups
from chargenet.errors import StoreUnavailable
from chargenet.storage.relational import SqlStores
from tests.support.billing_month import cdr
from tests.support.postgres import postgres
from tests.support.reports import DAY, POINT, Story, minute
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RollupStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryRollups()
        return
    stores = open_stores(request, request.param, tmp_path)
    assert isinstance(stores, SqlStores)
    yield SqlRollups(stores.database)
    await stores.close()


def morning() -> Story:
    """Two hours of one connector: available, a session of 3 kWh, then silence."""
    story = Story().opened(0).status(0, "Available").start(30, "7", 1000).status(30, "Charging")
    return story.stop(90, "7", 4000).status(90, "Available")


async def test_hours_are_made_once_they_are_over(store: RollupStore) -> None:
    """Amounts are there at once, seconds when the hour has ended; then nothing is due any more."""
    story = morning()
    await RollupProjection(store).apply(story.facts, len(story.facts))
    assert await store.position() == len(story.facts)
    rolled = await store.roll(minute(60))
    assert (rolled.points, rolled.rows, rolled.restated) == (1, 1, 0)
    assert (await store.roll(minute(60))).points == 0
    assert (await store.roll(minute(180))).rows == 2
    rows = await store.rows(DAY, minute(180))
    assert [(row.total_s, row.occupied_s, row.energy_wh, row.sessions) for row in rows] == [
        (3600, 1800, 1500, 1),
        (3600, 1800, 1500, 0),
        (3600, 0, 0, 0),
    ]
    [summed] = await store.sums(DAY, minute(180))
    assert (summed.charge_point_id, summed.total_s, summed.occupied_s, summed.energy_wh) == (POINT, 10_800, 3600, 3000)


async def test_late_data_restates_complete_hours(store: RollupStore) -> None:
    """A fault told hours later changes its hour, says that it did, and leaves the others as they were."""
    story = morning()
    projection = RollupProjection(store)
    await projection.apply(story.facts, len(story.facts))
    while (await store.roll(minute(300))).points:
        pass
    before = await store.rows(DAY, minute(300))
    known = len(story.facts)
    story.status(301, "Faulted", 130).status(301, "Available", 150)
    await projection.apply(story.facts[known:], len(story.facts))
    rolled = await store.roll(minute(300))
    assert rolled.restated == 1
    after = await store.rows(DAY, minute(300))
    assert [row.faulted_s for row in after] == [0, 0, 1200, 0, 0]
    assert [row.revision for row in after] == [0, 0, 1, 0, 0]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, True, False, True, True]


async def test_late_energy_is_a_revision_too(store: RollupStore) -> None:
    """An offline session adds to hours that were complete."""
    projection, story = RollupProjection(store), Story().opened(0).status(0, "Available")
    await projection.apply(story.facts, 2)
    await store.roll(minute(120))
    story.start(121, "9", 0, said_at=10).stop(121, "9", 700, said_at=50)
    await projection.apply(story.facts[2:], 4)
    await store.roll(minute(120))
    first, second = await store.rows(DAY, minute(120))
    assert (first.energy_wh, first.sessions, first.occupied_s, second.energy_wh) == (700, 1, 2400, 0)
    assert first.revision >= 1
    assert second.revision == 0


async def test_a_restart_goes_on_exactly(store: RollupStore) -> None:
    """A projection made anew after every fact ends in the same rows as one that never stopped."""
    story = morning()
    for count in range(len(story.facts)):
        await RollupProjection(store).apply(story.facts[count : count + 1], count + 1)
    again = RollupProjection(store)
    await again.apply(story.facts, len(story.facts))
    await store.roll(minute(120))
    rows = await store.rows(DAY, minute(120))
    assert [(row.occupied_s, row.charging_s, row.energy_wh, row.sessions) for row in rows] == [
        (1800, 1800, 1500, 1),
        (1800, 1800, 1500, 0),
    ]


async def test_two_writers_cannot_count_twice(store: RollupStore) -> None:
    """A save that does not start at the stored position changes nothing."""
    story = morning()
    first, second = RollupProjection(store), RollupProjection(store)
    await second.position()
    await first.apply(story.facts, len(story.facts))
    with pytest.raises(StoreUnavailable, match="another write came between"):
        await second.apply(story.facts, len(story.facts))
    [summed] = await store.sums(DAY, minute(180))
    assert summed.sessions == 1


async def test_rows_come_in_pages(store: RollupStore) -> None:
    """In order of hour, charge point, connector."""
    story = morning().opened(95, point="CP-2")
    await RollupProjection(store).apply(story.facts, len(story.facts))
    await store.roll(minute(240))
    everything = await store.rows(DAY, minute(240))
    first = await store.rows(DAY, minute(240), limit=2)
    key = (first[-1].hour, first[-1].charge_point_id, first[-1].connector)
    assert first + await store.rows(DAY, minute(240), after=key) == everything
    assert len(everything) == 4


async def test_spans_that_overlap_are_found(store: RollupStore) -> None:
    """Open ones included; others not."""
    story = morning()
    await RollupProjection(store).apply(story.facts, len(story.facts))
    found = await store.spans([POINT, "CP-9"], minute(89), minute(91))
    assert sorted((span.layer, span.value) for span in found) == [
        ("link", "connected"),
        ("status", "Available"),
        ("status", "Charging"),
        ("transaction", "7"),
    ]
    assert await store.spans([POINT], DAY - timedelta(days=2), DAY) == []
    assert set(await store.points()) == {POINT}


async def test_reset_drops_everything(store: RollupStore) -> None:
    """A rebuild starts from nothing."""
    story = morning()
    projection = RollupProjection(store)
    await projection.apply(story.facts, len(story.facts))
    await store.roll(minute(120))
    await projection.reset()
    assert (await store.position(), await store.points(), await store.rows(DAY, minute(120))) == (0, {}, [])


async def test_hours_are_exported_once_and_again_when_they_change(store: RollupStore) -> None:
    """Complete hours only; what was exported is not due; an hour that changed since it was read stays due."""
    story = morning()
    projection = RollupProjection(store)
    await projection.apply(story.facts, len(story.facts))
    assert await store.unexported() == []
    while (await store.roll(minute(180))).points:
        pass
    first = await store.unexported(2)
    assert first == (await store.rows(DAY, minute(180)))[:2]
    await store.exported(first)
    rest = await store.unexported()
    assert [row.hour for row in rest] == [minute(120)]
    known = len(story.facts)
    story.status(181, "Faulted", 130).status(181, "Available", 150)
    await projection.apply(story.facts[known:], len(story.facts))
    await store.roll(minute(180))
    await store.exported(rest)
    [again] = await store.unexported()
    assert (again.hour, again.revision, again.faulted_s) == (minute(120), 1, 1200)
    await store.exported([again])
    assert await store.unexported() == []
    assert await store.rows(minute(120), minute(180)) == [again]


def _earned(hour: datetime, amount: str, currency: str = "EUR", point: str = POINT) -> HourRevenue:
    return HourRevenue(charge_point_id=point, connector="1", hour=hour, revenue={currency: Decimal(amount)})


async def test_revenue_is_added_and_restates_complete_hours(store: RollupStore) -> None:
    """To the last decimal; only the hours that changed are a new revision and due again; other figures stay as they were."""
    story = morning()
    await RollupProjection(store).apply(story.facts, len(story.facts))
    while (await store.roll(minute(180))).points:
        pass
    before = await store.rows(DAY, minute(180))
    await store.exported(await store.unexported())
    assert [dict(row.revenue) for row in before] == [{}, {}, {}]
    assert await store.earn([_earned(minute(60), "1.265100000001"), _earned(minute(120), "0")], 0, 7) == 2
    assert await store.earn([_earned(minute(60), "-0.2651"), _earned(minute(60), "3", "NOK", "CP-2")], 7, 9) == 2
    assert await store.earn([_earned(minute(60), "0.00")], 9, 11) == 0
    assert await store.earned_upto() == 11
    rows = {(row.hour, row.charge_point_id): row for row in await store.rows(DAY, minute(180))}
    assert {key: dict(row.revenue) for key, row in rows.items()} == {
        (minute(0), POINT): {},
        (minute(60), POINT): {"EUR": Decimal("1.000000000001")},
        (minute(60), "CP-2"): {"NOK": Decimal(3)},
        (minute(120), POINT): {"EUR": Decimal(0)},
    }
    assert [row.revision for row in rows.values()] == [0, 2, 0, 1]
    assert [(row.energy_wh, row.occupied_s, row.sessions) for row in rows.values() if row.charge_point_id == POINT] == [
        (row.energy_wh, row.occupied_s, row.sessions) for row in before
    ]
    assert await store.unexported() == [rows[minute(60), POINT], rows[minute(120), POINT]]


async def test_revenue_of_an_hour_that_still_runs_stays_when_it_is_made(store: RollupStore) -> None:
    """It is no restatement; facts and seconds that come later leave it, and it leaves them."""
    story = morning()
    assert await store.earn([_earned(minute(60), "2")], 0, 1) == 1
    assert await store.unexported() == []
    projection = RollupProjection(store)
    await projection.apply(story.facts, len(story.facts))
    await store.roll(minute(120))
    [_, row] = await store.rows(DAY, minute(120))
    assert (dict(row.revenue), row.energy_wh, row.occupied_s, row.revision) == ({"EUR": Decimal(2)}, 1500, 1800, 0)
    known = len(story.facts)
    story.status(181, "Faulted", 110).status(181, "Available", 115).start(182, "8", 0, 116).stop(182, "8", 70, 118)
    await projection.apply(story.facts[known:], len(story.facts))
    await store.roll(minute(120))
    [_, row] = await store.rows(DAY, minute(120))
    assert (dict(row.revenue), row.energy_wh, row.faulted_s) == ({"EUR": Decimal(2)}, 1570, 300)


async def test_revenue_counts_once(store: RollupStore) -> None:
    """What does not start at the stored position changes nothing; a rebuild takes all of it again."""
    await store.earn([_earned(minute(60), "2")], 0, 5)
    with pytest.raises(StoreUnavailable, match="rollup_revenue is at 5, not at 0: another write came between"):
        await store.earn([_earned(minute(60), "2")], 0, 5)
    [row] = await store.rows(DAY, minute(180))
    assert dict(row.revenue) == {"EUR": Decimal(2)}
    await store.reset()
    assert (await store.earned_upto(), await store.rows(DAY, minute(180))) == (0, [])


async def test_revenue_of_many_hours_at_once(store: RollupStore) -> None:
    """More than one statement can name."""
    hours = [_earned(minute(60 * hour), "0.01", point=f"CP-{hour % 7}") for hour in range(1_100)]
    assert await store.earn(hours, 0, 1) == 1_100
    assert await store.earn(hours, 1, 2) == 1_100
    rows = await store.rows(DAY, minute(60 * 1_100), limit=2_000)
    assert [dict(row.revenue) for row in rows] == [{"EUR": Decimal("0.02")}] * 1_100


@pytest.mark.parametrize("kind", [each for each in KINDS if each != "memory"])
async def test_who_follows_the_ordinals_misses_no_cdr(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """A writer whose CDR is not committed yet holds up the next one: no higher ordinal is seen before a lower one."""
    stores = open_stores(request, kind, tmp_path)
    assert isinstance(stores, SqlStores)
    ledger, inserted, free = SqlLedger(stores.database), threading.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        insert_cdrs(connection, [cdr(1, "c000000", 1_000)])
        inserted.set()
        assert free.wait(8)

    first = asyncio.create_task(stores.database.write(slowly))
    try:
        assert await asyncio.to_thread(inserted.wait, 8)
        second = asyncio.create_task(ledger.save(Change(cdrs=(cdr(2, "c000000", 2_000),))))
        seen = [await ledger.made_after(0) for _ in range(30)]
        assert seen == [[]] * 30
    finally:
        free.set()
        await first
    await second
    assert [row.id for row in await ledger.made_after(0)] == ["C000000001", "C000000002"]
    await stores.close()
