"""The fleet as plans see it: read from the stores."""

from __future__ import annotations

from datetime import UTC, datetime

from chargenet.model.station import ChargePointRegistration, ChargePointState
from chargenet.stores import StationChanges
from chargenet.testing import FrozenClock, MemoryStores, MemoryTelemetry
from firmware_orchestrator.census import Census
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.exposure import Member
from firmware_orchestrator.spec import parse_spec, selects

SPEC = "artifact: a\nname: x\ntarget: {tags: [pilot, 'garage*']}\n"


async def fleet() -> tuple[Census, MemoryStores]:
    stores, clock = MemoryStores(), FrozenClock(datetime(2026, 3, 29, tzinfo=UTC))
    for name, tags, hardware in (("CP-1", "pilot garage-2", "B2"), ("CP-2", "pilot", None), ("CP-3", None, None)):
        row = ChargePointRegistration(charge_point_id=name, registration="Accepted", tags=tags, hardware=hardware)
        await stores.registrations.put(row)
    states = [ChargePointState(charge_point_id=f"CP-{number}", model="AC-22", connected=True, sequence=1) for number in (1, 2, 3)]
    await stores.stations.save(StationChanges(charge_points=states), 0, 1)
    return Census(stores, MemoryTelemetry(), clock), stores


async def test_tags_and_hardware_are_what_people_entered() -> None:
    """Every tag of a selector must fit one of the charge point's; the hardware revision is the registration's."""
    census, _ = await fleet()
    members = {each.charge_point_id: each for each in await census.members()}
    assert members["CP-1"].tags == ("pilot", "garage-2") and members["CP-1"].hardware == "B2"
    assert members["CP-3"].tags == () and members["CP-3"].hardware is None
    target = parse_spec(SPEC).target
    assert [name for name, each in members.items() if selects(target, each)] == ["CP-1"]


async def test_a_past_without_rows_is_a_quiet_one() -> None:
    """No events in 28 days at risk, for everybody who was asked."""
    census, _ = await fleet()
    found = await census.histories([Member(charge_point_id="CP-1")], datetime(2026, 3, 29, tzinfo=UTC), GatePolicy())
    assert found["CP-1"].events == {} and round(found["CP-1"].days[Signal.FAULTS]) == 28
