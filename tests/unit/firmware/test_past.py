"""A charge point's own past weighs its evidence: what the stores keep of 28 days is counted as the gate counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chargenet.model.station import ChargePointEvent
from chargenet.model.transaction import Transaction
from chargenet.ports import StateChange
from firmware_orchestrator.evidence.baseline import UNIT, History, daily_rates, weights
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.exposure import Member
from firmware_orchestrator.past import PAST, Rows, histories
from firmware_orchestrator.storage.rollout_memory import MemoryRollouts
from tests.support.rollout_world import World

NOW = datetime(2026, 3, 29, tzinfo=UTC)
SINCE = NOW - PAST
NAMES = tuple(f"CP-{number}" for number in range(1, 11))
MEMBERS = [Member(charge_point_id=name, site_id=f"site {name}", firmware_version="2.3.0") for name in NAMES]


def event(name: str, day: float, kind: str, value: str) -> ChargePointEvent:
    at = SINCE + timedelta(days=day)
    return ChargePointEvent(charge_point_id=name, sequence=round(day * 1000), ordinal=0, kind=kind, value=value, received_at=at)


def state(name: str, day: float, kind: str, value: str) -> StateChange:
    at = SINCE + timedelta(days=day)
    return StateChange(at, at, name, "1", kind, value, "", round(day * 1000))


def past(**rows: object) -> dict[str, History]:
    given = Rows(since=SINCE, asked=frozenset(NAMES))
    for name, value in rows.items():
        setattr(given, name, value)
    return histories(MEMBERS, given, NOW, GatePolicy())


def test_nothing_happened_for_28_days() -> None:
    """Every charge point was at risk all the time; of what no row tells, nothing is known."""
    quiet = past()["CP-1"]
    assert quiet.events == {}
    assert quiet.days[Signal.OFFLINE] == pytest.approx(28) and quiet.days[Signal.FAULTS] == pytest.approx(28)
    assert Signal.METER_GAPS not in quiet.days and Signal.PROTOCOL_ERRORS not in quiet.days


def test_events_are_counted_as_the_gate_counts_them() -> None:
    """Ten minutes offline, an unplanned boot, a fault with its code, a session without energy; planned boots are none."""
    started = SINCE + timedelta(days=10)
    session = Transaction(
        charge_point_id="CP-1", transaction_id="7", protocol="ocpp1.6", started_at=started, start_received_at=started,
        stopped_at=started + timedelta(minutes=20), stop_received_at=started + timedelta(minutes=20), start_register_wh=5000,
        stop_register_wh=5020, first_sequence=1, last_sequence=2,
    )  # fmt: skip
    found = past(
        events=[
            event("CP-1", 1, "disconnected", "lost"), event("CP-1", 1.1, "connected", "ocpp1.6"),
            event("CP-1", 3, "boot", "PowerUp"), event("CP-2", 3, "boot", "FirmwareUpdate"),
        ],
        transactions=[session],
        states=[state("CP-1", 5.2, "status", "Faulted"), state("CP-1", 5.2, "error", "GroundFailure"),
                state("CP-1", 5.5, "status", "Available")],
    )  # fmt: skip
    assert found["CP-1"].events == {
        Signal.OFFLINE: 1, Signal.BOOTS: 1, Signal.FAULTS: 1, Signal.NO_ENERGY: 1, Signal.ANY: 4,
    }  # fmt: skip
    assert found["CP-1"].safety_codes == ("GroundFailure",) and found["CP-2"].events == {}


def test_statuses_that_were_not_read_are_not_taken_for_health() -> None:
    """A charge point that was not asked has no days at risk of faults: it gets the rate of the others."""
    found = past(asked=frozenset({"CP-1"}))
    assert Signal.FAULTS in found["CP-1"].days and Signal.FAULTS not in found["CP-2"].days
    assert Signal.OFFLINE in found["CP-2"].days


def test_a_charge_point_that_always_has_troubles_is_a_poor_witness() -> None:
    """One that goes offline each week weighs more than the others together: one more episode of it says little."""
    often = [
        event("CP-1", 2 * number + offset, kind, "lost")
        for number in range(14)
        for offset, kind in ((0, "disconnected"), (0.5, "connected"))
    ]
    found = past(events=often)
    rates = weights(found)
    assert rates["CP-1"][Signal.OFFLINE] > 5 * rates["CP-2"][Signal.OFFLINE] > 0
    assert daily_rates(found)[Signal.OFFLINE] > 0


async def test_the_plan_says_what_the_canary_proves_by_the_networks_own_rates() -> None:
    """Measured troubles make sentences; at the start, each charge point's own rate goes into the gate."""
    spec = "artifact: acme-2.4.1\nname: new\ntarget: {all: true}\nwaves: {sizes: ['2', rest], holdout: '1'}\n"
    world = World(MemoryRollouts(), NAMES, spec)
    assert "can prove nothing: no trouble is known" in (await world.desk.plan(spec)).canary.sentences[0]
    world.pasts = {
        name: History(events={Signal.OFFLINE: 20 if name == "CP-1" else 1}, days={Signal.OFFLINE: 28.0}) for name in NAMES
    }
    plan = await world.desk.plan(spec)
    assert plan.canary.rate == pytest.approx(29 / 280) and "can rule out 5 times worse in about" in plan.canary.sentences[0]
    await world.started("new")
    evidence = await world.kept.evidence("new")
    assert evidence is not None
    [dossier] = await world.dossiers()
    given = {row.charge_point_id: row.weights[0] for row in dossier.exposure._rows.values()}
    assert given["CP-1"] > 5 * given["CP-2"] and given["CP-2"] != UNIT
