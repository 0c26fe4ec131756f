"""The alerts program over fakes: a fault is a case, told once across a restart, and resolved by itself."""

from __future__ import annotations

import pytest

from alerts.case import State
from chargenet import events as e
from chargenet.events import Event
from chargenet.model.ids import ConnectorRef
from tests.support.night import Night


def faulted() -> Event:
    return e.StatusReported(connector=ConnectorRef(1), status="Faulted", raw_status="Faulted", error_code="GroundFailure")


def available() -> Event:
    return e.StatusReported(connector=ConnectorRef(1), status="Available", raw_status="Available", error_code="NoError")


@pytest.mark.timeout(60)
async def test_a_fault_is_told_once_across_a_restart_and_resolved_by_itself() -> None:
    """Found, told; found again after a kill without being told again; gone for the clear time, its end is told."""
    night = Night()
    night.say("CP-1", e.ConnectionOpened(remote="10.0.0.1"), faulted())
    async with night.running():
        await night.judged()
        [first] = night.relay.notices
        assert (first.kind, first.severity, first.labels["charge_point"]) == ("ConnectorSafetyFault", "critical", "CP-1")

    async with night.running():
        night.clock.advance(30)
        await night.judged()
        assert len(night.relay.notices) == 1
        [case] = await night.cases()
        assert (case.case_id, case.state) == (1, State.OPEN)

        night.say("CP-1", available())
        for _ in range(3):
            night.clock.advance(61)
            await night.judged()
        assert [each.resolved_at is not None for each in night.relay.notices] == [False, True]
        [case] = await night.cases()
        assert case.state == State.RESOLVED


async def test_nobody_is_offline_because_the_program_stood_still() -> None:
    """An hour passes between two beats: nothing is judged while what came meanwhile is read, and no case is opened after it."""
    night = Night()
    async with night.running():
        night.boot("CP-1")
        await night.judged()
        night.clock.alerts = None
        night.clock.advance(3600)
        night.clock.alerts = night.alerts
        swept_at = night.alerts.loop.swept_at
        await night.alerts.loop._sweep()
        assert night.alerts.loop.swept_at == swept_at
        night.clock.advance(600)
        await night.alerts.loop._sweep()
        assert night.alerts.loop.swept_at != swept_at
        assert await night.cases() == []
        night.clock.advance(600)
        await night.alerts.loop._sweep()
        assert [case.kind for case in await night.cases()] == ["offline"]
