"""The alerts program over fakes: a fault is a case, told once across a restart, and resolved by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from alerts.app import Alerts, AlertSettings
from alerts.case import State
from alerts.storage.cases_memory import MemoryCases
from chargenet import events as e
from chargenet.events import Event, Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.notice import Notice
from chargenet.testing import FrozenClock, MemoryJournal, MemoryStores
from tests.support.api import ListFeed


class Heard:
    """A relay that remembers."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def tell(self, notices: Sequence[Notice]) -> None:
        self.notices += notices


class Night:
    """Alerts over fakes; time moves when told to."""

    def __init__(self) -> None:
        self.clock, self.feed, self.journal, self.store = FrozenClock(), ListFeed(), MemoryJournal(), MemoryCases()
        self.relay = Heard()
        self.alerts = self.made()

    def made(self) -> Alerts:
        """A new process on the same stores."""
        return Alerts(
            self.feed, self.journal, self.clock, MemoryStores(), self.store, self.relay, lambda name: "A", {}, AlertSettings()
        )

    def say(self, charge_point_id: str, *events: Event) -> None:
        """One record."""
        fact = Fact(self.feed.head + 1, self.clock.now(), charge_point_id, 1, "ocpp1.6", "", events)
        self.feed.put(fact)

    async def judged(self) -> None:
        """Everything said is taken in, judged, told and stored."""
        while self.alerts.loop.lag():  # noqa: ASYNC110 - the loop tells nobody when it is level
            await asyncio.sleep(0.01)
        await self.alerts.loop._points()
        await self.alerts.loop._sweep()
        await self.alerts.loop._told()
        await self.alerts.loop._checkpoint()


def faulted() -> Event:
    return e.StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status="Faulted", error_code="GroundFailure")


def available() -> Event:
    return e.StatusReported(connector=ConnectorRef(1), status="Available", raw_status="Available", error_code="NoError")


@pytest.mark.timeout(60)
async def test_a_fault_is_told_once_across_a_restart_and_resolved_by_itself() -> None:
    """Found, told; found again after a kill without being told again; gone for the clear time, its end is told."""
    night = Night()
    night.say("CP-1", e.ConnectionOpened(remote="10.0.0.1"), faulted())
    task = asyncio.ensure_future(night.alerts.run())
    await asyncio.sleep(0.05)
    await night.judged()
    [first] = night.relay.notices
    assert (first.kind, first.severity, first.labels["charge_point"]) == ("ConnectorSafetyFault", "critical", "CP-1")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    night.alerts = night.made()
    task = asyncio.ensure_future(night.alerts.run())
    await asyncio.sleep(0.05)
    night.clock.advance(30)
    await night.judged()
    assert len(night.relay.notices) == 1
    [case] = (await night.store.cases()).items
    assert (case.case_id, case.state) == (1, State.OPEN)

    night.say("CP-1", available())
    for _ in range(3):
        night.clock.advance(61)
        await night.judged()
    assert [each.resolved_at is not None for each in night.relay.notices] == [False, True]
    [case] = (await night.store.cases()).items
    assert case.state == State.RESOLVED
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
