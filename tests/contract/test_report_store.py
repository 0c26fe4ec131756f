"""What reports keep: the same on SQLite, on PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from billing_reports.exclusion import Exclusion, Reason
from billing_reports.importing import ImportedSession
from billing_reports.report_store import PortRow, ReportStore, Schedule
from billing_reports.storage.report_memory import MemoryReports
from billing_reports.storage.report_sql import SqlReports
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational import SqlStores
from tests.support.postgres import postgres
from tests.support.reports import DAY, minute
from tests.support.stores import KINDS, open_stores

__all__ = ["postgres"]


@pytest.fixture(params=KINDS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ReportStore]:
    """An empty store of each kind."""
    if request.param == "memory":
        yield MemoryReports()
        return
    stores = open_stores(request, request.param, tmp_path)
    assert isinstance(stores, SqlStores)
    yield SqlReports(stores.database)
    await stores.close()


def session(name: str, start: float, **more: object) -> ImportedSession:
    """An hour long."""
    made = ImportedSession(
        source="here", session_id=name, charge_point_id="CP-1", connector="1", site="A", model="M", began_at=minute(start),
        ended_at=minute(start + 60), energy_wh=5000, revenue=Decimal("2.345"), currency="EUR", successful=True,
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


async def test_sessions_come_back_as_they_were(store: ReportStore) -> None:
    """Every field; the same again replaces it and is not new."""
    first, second = session("a", 0), session("b", 100, revenue=None, currency="", charging_s=60, peak_w=7000, rated_w=22_000)
    assert await store.put_sessions([first, second, first]) == 2
    assert await store.put_sessions([first]) == 0
    assert await store.sessions(DAY, minute(1000)) == [first, second]
    assert await store.first_uses() == {("CP-1", "1"): minute(0)}


async def test_sessions_of_a_period(store: ReportStore) -> None:
    """Those that overlap it; what only touches it does not."""
    await store.put_sessions([session("a", 0), session("b", 60), session("c", 130)])
    assert [each.session_id for each in await store.sessions(minute(60), minute(130))] == ["b"]
    assert [each.session_id for each in await store.sessions(minute(59), minute(131))] == ["a", "b", "c"]


async def test_a_source_can_be_forgotten(store: ReportStore) -> None:
    """All of it, and nothing else."""
    await store.put_sessions([session("a", 0), session("b", 0, source="there")])
    assert (await store.drop_sessions("here"), await store.drop_sessions("here")) == (1, 0)
    assert [each.source for each in await store.sessions(DAY, minute(100))] == ["there"]


async def test_ports(store: ReportStore) -> None:
    """By charge point and EVSE; the same again replaces it."""
    row = PortRow(charge_point_id="CP-1", evse_id=2, port_id="P2", rated_w=150_000, commissioned_at=DAY)
    assert await store.put_ports([row, PortRow(charge_point_id="CP-1", evse_id=1, port_id="P1")]) == 2
    assert await store.put_ports([msgspec.structs.replace(row, port_id="P9")]) == 0
    assert [each.port_id for each in await store.ports()] == ["P1", "P9"]


async def test_exclusions_are_withdrawn_and_never_lost(store: ReportStore) -> None:
    """An auditor sees both."""
    wanted = Exclusion(
        site_id="harbour",
        reason=Reason.UTILITY,
        began_at=DAY,
        ended_at=minute(90),
        evidence="notice",
        created_at=DAY,
        created_by="ops",
    )
    made = await store.add_exclusion(wanted)
    assert made.exclusion_id == 1
    assert await store.exclusions(minute(89), minute(200)) == [made]
    assert await store.exclusions(minute(90), minute(200)) == []
    gone = await store.withdraw_exclusion(1, "boss", minute(5))
    assert (gone.withdrawn_by, await store.exclusions(DAY, minute(1))) == ("boss", [gone])
    with pytest.raises(Conflict, match="is withdrawn already"):
        await store.withdraw_exclusion(1, "boss", minute(6))
    with pytest.raises(NotFound, match="exclusion '7' is not known"):
        await store.withdraw_exclusion(7, "boss", minute(6))


async def test_schedules(store: ReportStore) -> None:
    """Put, delivered, removed."""
    schedule = Schedule(schedule_id="weekly", kind="utilization", format="pdf", every="week", created_at=DAY, created_by="ops")
    await store.put_schedule(schedule)
    await store.delivered("weekly", DAY + timedelta(days=7))
    [found] = await store.schedules()
    assert found == msgspec.structs.replace(schedule, delivered_upto=DAY + timedelta(days=7))
    assert await store.remove_schedule("weekly") == found
    with pytest.raises(NotFound):
        await store.remove_schedule("weekly")


async def test_without_cdrs_there_is_no_revenue(store: ReportStore) -> None:
    """Nothing known is nothing said."""
    assert await store.revenue(DAY, minute(1000)) == {}
