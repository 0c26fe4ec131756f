"""CDRs become revenue of hours: whole, before taxes, exact, in the hour in which the session ended; windows follow at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from billing_reports.cdr import Cdr, credit_of
from billing_reports.cdr_row import CdrRow, row_of
from billing_reports.report_store import Revenue
from billing_reports.rollup_export import RollupExport
from billing_reports.rollup_loop import RollupLoop
from billing_reports.rollup_metrics import RollupMetrics
from billing_reports.rollup_projection import RollupProjection
from billing_reports.rollup_revenue import added, revenue_of
from billing_reports.sessions import Change
from billing_reports.storage.ledger_memory import MemoryLedger
from billing_reports.storage.rollup_memory import MemoryRollups
from chargenet.testing import FrozenClock, MemoryTelemetry
from tests.support.billing_month import cdr
from tests.support.reports import POINT, Story, minute

replace = msgspec.structs.replace
PRICE = Decimal("0.4217")


def _at(made: Cdr, ended: float, point: str = POINT) -> Cdr:
    return replace(made, charge_point_id=point, connector="1", ended_at=minute(ended))


def _shown(rows: Iterable[CdrRow]) -> dict[tuple[datetime, str], dict[str, Decimal]]:
    return {(each.hour, each.charge_point_id): dict(each.revenue) for each in revenue_of(rows)}


def test_a_cdr_counts_whole_in_the_hour_of_its_end() -> None:
    """An end on the hour belongs to the hour that begins; several of one hour are one amount, to the last decimal."""
    made = [_at(cdr(1, "a", 1_001), 59), _at(cdr(2, "a", 3), 59.5), _at(cdr(3, "a", 1_000), 60), _at(cdr(4, "a", 1), 61, "CP-2")]
    assert _shown(map(row_of, made)) == {
        (minute(0), POINT): {"EUR": Decimal("0.4233868")},
        (minute(60), POINT): {"EUR": PRICE},
        (minute(60), "CP-2"): {"EUR": Decimal("0.0004217")},
    }


def test_hours_are_of_utc() -> None:
    """An end that is told in another zone counts in the UTC hour of that instant."""
    ended = datetime.fromisoformat("2026-03-02T05:35:00+05:45")  # 23:50 of the day before in UTC
    [hour] = revenue_of([replace(row_of(cdr(1, "a", 1)), ended_at=ended)])
    assert hour.hour == datetime(2026, 3, 1, 23, tzinfo=UTC)


def test_a_credit_takes_back_what_its_original_gave() -> None:
    """Together they are nothing in that hour, which is not the same as no CDR; a correction is the new price."""
    first = _at(cdr(1, "a", 1_000), 10)
    rows = [row_of(first), row_of(credit_of(first, "X", minute(5_000)))]
    assert _shown(rows) == {(minute(0), POINT): {"EUR": Decimal(0)}}
    assert _shown([*rows, row_of(_at(cdr(2, "a", 2_000), 10))]) == {(minute(0), POINT): {"EUR": 2 * PRICE}}


@pytest.mark.parametrize("change", [{"home": True}, {"charge_point_id": None}, {"connector": None}])
def test_what_is_no_revenue_of_a_connector(change: dict[str, object]) -> None:
    """Home charging is paid back and not earned; a CDR without a connector has no hour of one."""
    assert revenue_of([replace(row_of(cdr(1, "a", 1_000)), **change)]) == []


def test_currencies_are_not_added() -> None:
    """Each has its own amount, in order of their names."""
    rows = [replace(row_of(_at(cdr(number, "a", 1_000), 10)), currency=name) for number, name in enumerate(("NOK", "EUR", "NOK"))]
    assert _shown(rows) == {(minute(0), POINT): {"EUR": PRICE, "NOK": 2 * PRICE}}
    assert list(added({"NOK": Decimal(1)}, {"EUR": Decimal(0)})) == ["EUR", "NOK"]


class Looked:
    """A rollup loop over a ledger: hours until 03:00, and where they are shown."""

    def __init__(self) -> None:
        self.ledger, self.store, self.boards = MemoryLedger(), MemoryRollups(), MemoryTelemetry()
        self.metrics = RollupMetrics(lambda: 0)
        self.loop = RollupLoop(
            self.store, FrozenClock(minute(185)), self.metrics, lambda _: "harbour", self._revenue, self.ledger.made_after
        )
        self.export = RollupExport(self.store, self.boards, lambda _: "harbour")
        self.asked = 0

    async def _revenue(self, start: datetime, end: datetime) -> dict[tuple[str, str], float]:
        self.asked += 1
        rows = [row for row in self.ledger.rows.values() if start <= row.ended_at < end]
        found = [Revenue(row.before_taxes, row.currency) for row in rows]
        return {("harbour", "EUR"): float(sum((each.amount for each in found), Decimal(0)))} if found else {}

    async def begin(self) -> None:
        """A session from 00:30 to 01:30, not billed yet."""
        story = Story().opened(0).status(0, "Available").start(30, "7", 1000).stop(90, "7", 4000).status(90, "Available")
        await RollupProjection(self.store).apply(story.facts, len(story.facts))
        await self.look()

    async def look(self) -> int:
        """Hours are made and exported; how many were exported."""
        await self.loop.look()
        return await self.export.look()

    @property
    def shown(self) -> list[tuple[int, dict[str, Decimal]]]:
        """(revision, revenue) of the hours at the boards, in their order."""
        hours = sorted(self.boards.hours.values(), key=lambda each: each.hour)
        return [(each.revision, dict(each.revenue)) for each in hours]


async def test_a_cdr_that_is_made_after_its_hour_was_exported_exports_it_again() -> None:
    """That hour alone, as a new revision; a credit once more; where nothing was made nothing is exported."""
    world = Looked()
    await world.begin()
    assert world.shown == [(0, {}), (0, {}), (0, {})]
    first = _at(cdr(1, "a", 3_000), 90)
    await world.ledger.save(Change(cdrs=(first,)))
    assert (await world.look(), await world.look()) == (1, 0)
    assert world.shown == [(0, {}), (1, {"EUR": 3 * PRICE}), (0, {})]
    await world.ledger.save(Change(cdrs=(credit_of(first, "X", minute(5_000)), _at(cdr(2, "a", 2_000), 90))))
    assert await world.look() == 1
    assert world.shown == [(0, {}), (2, {"EUR": 2 * PRICE}), (0, {})]
    await world.ledger.save(Change(cdrs=(credit_of(_at(cdr(2, "a", 2_000), 90), "Y", minute(5_000)),)))
    assert await world.look() == 1
    assert world.shown[1] == (3, {"EUR": Decimal(0)})


async def test_windows_are_summed_anew_when_a_cdr_is_made() -> None:
    """Not only when an hour ends; the day's window is what its hours add up to."""
    world = Looked()
    await world.begin()
    asked = world.asked
    await world.loop.look()
    assert world.asked == asked
    await world.ledger.save(Change(cdrs=(_at(cdr(1, "a", 3_000), 90), _at(cdr(2, "a", 500), 100))))
    await world.loop.look()
    [day] = [each for each in world.metrics.windows if each.window == "24h"]
    rows = await world.store.rows(minute(0), minute(180))
    assert day.revenue == {"EUR": float(sum((each for row in rows for each in row.revenue.values()), Decimal(0)))}


async def test_many_cdrs_are_taken_in_steps_and_each_once() -> None:
    """More than one answer of the ledger; a loop that begins anew goes on where the store stands."""
    world = Looked()
    await world.begin()
    made = [_at(cdr(number, "a", number), 90) for number in range(1, 1_203)]
    await world.ledger.save(Change(cdrs=tuple(made)))
    await world.look()
    assert await world.store.earned_upto() == 1_202
    world.loop = RollupLoop(
        world.store, FrozenClock(minute(185)), world.metrics, lambda _: "", cdrs=world.ledger.made_after
    )  # fmt: skip
    await world.look()
    assert world.shown[1][1] == {"EUR": sum((each.total.before_taxes for each in made), Decimal(0))}
