"""Hours of connectors go where boards read them: each complete one, again when it is restated, and later when a store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec
import pytest

from billing_reports.rollup_export import RollupExport
from billing_reports.rollup_projection import RollupProjection
from billing_reports.storage.rollup_memory import MemoryRollups
from chargenet.errors import StoreUnavailable
from chargenet.ports import ConnectorHour
from chargenet.storage.hours import hour_line
from chargenet.testing import MemoryTelemetry
from tests.support.reports import POINT, Story, minute


async def _rolled(story: Story) -> MemoryRollups:
    rollups = MemoryRollups()
    await RollupProjection(rollups).apply(story.facts, len(story.facts))
    await rollups.roll(minute(180))
    return rollups


async def _until(true: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never became true")


def _story() -> Story:
    return Story().opened(0).status(0, "Available").start(30, "7", 1000).stop(90, "7", 4000).status(90, "Available")


async def test_every_complete_hour_is_there_once() -> None:
    """With its site and its revision; asked again, nothing is due."""
    rollups, boards = await _rolled(_story()), MemoryTelemetry()
    export = RollupExport(rollups, boards, lambda _: "harbour")
    assert (await export.look(), await export.look()) == (3, 0)
    hours = sorted(boards.hours.values(), key=lambda each: each.hour)
    assert [(each.energy_wh, each.occupied_s, each.site, each.revision) for each in hours] == [
        (1500, 1800, "harbour", 0), (1500, 1800, "harbour", 0), (0, 0, "harbour", 0),
    ]  # fmt: skip
    assert {each.charge_point for each in hours} == {POINT}


async def test_a_store_that_is_away_gets_them_later() -> None:
    """Nothing is marked as exported that was not stored; the sentence says what is wrong, and goes."""

    class Away(MemoryTelemetry):
        away = True

        async def write_hours(self, hours: Sequence[ConnectorHour]) -> None:
            if self.away:
                raise StoreUnavailable("InfluxDB", "connection refused")
            await super().write_hours(hours)

    boards = Away()
    export = RollupExport(await _rolled(_story()), boards, lambda _: "", every_s=0)
    with pytest.raises(StoreUnavailable):
        await export.look()
    running = asyncio.create_task(export.run())
    try:
        await _until(lambda: "connection refused" in (export.problem or ""))
        boards.away = False
        await _until(lambda: export.problem is None)
    finally:
        running.cancel()
    assert len(boards.hours) == 3


def test_an_hour_is_one_line() -> None:
    """Tags and time are its identity; the site is a field, so that an hour overwrites itself when its charge point has moved.

    Revenue is a field per currency, and none where there is none.
    """
    hour = ConnectorHour(
        charge_point="CP 1", connector="", site='a "b"', hour=minute(60), revision=2, total_s=3600, occupied_s=1, charging_s=2,
        idle_s=3, faulted_s=4, unavailable_s=5, offline_s=6, unknown_s=7, energy_wh=8, sessions=9,
    )  # fmt: skip
    assert hour_line(hour) == (
        'connector_hour,charge_point=CP\\ 1,connector=- site="a \\"b\\"",revision=2i,total_s=3600i,occupied_s=1i,charging_s=2i,'
        "idle_s=3i,faulted_s=4i,unavailable_s=5i,offline_s=6i,unknown_s=7i,energy_wh=8i,sessions=9i "
        f"{int(minute(60).timestamp())}000000000"
    )
    paid = msgspec.structs.replace(hour, revenue={"EUR": Decimal("12.340"), "N K": Decimal(0), "NOK": Decimal("-1E+1")})
    assert ",sessions=9i,revenue_EUR=12.340,revenue_N\\ K=0,revenue_NOK=-10 " in hour_line(paid)
