"""Attempts are counted by site and firmware: what counts as which outcome, what is too late, and that groups are bounded."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from alerts import attempt_counts
from alerts.attempt_counts import OUTCOMES, AttemptCounts, outcome_of
from alerts.attempts import Attempt, Failure
from chargenet import events as e
from chargenet.model.ids import ConnectorRef
from chargenet.observe import names as n
from tests.support.night import Night

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attempt(**changes: object) -> Attempt:
    """One that served its driver, changed."""
    given: dict[str, object] = {
        "charge_point_id": "CP-1", "connector": "1", "began_at": NOW - timedelta(hours=1), "ended_at": NOW, "energy_wh": 9000.0,
    }  # fmt: skip
    return Attempt(**(given | changes))  # type: ignore[arg-type]


def counted(counts: AttemptCounts) -> dict[tuple[str, ...], float]:
    """(family, its labels…) → value, zeros left out."""
    return {
        (family.name + "_total", *sample.labels.values()): sample.value
        for family in counts.collect()
        for sample in family.samples
        if sample.value
    }


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ({}, "served"),
        ({"clean": False}, "broken_off"),
        ({"energy_wh": None}, "unknown"),
        ({"failure": Failure.REJECTED, "energy_wh": None}, "rejected"),
        ({"failure": Failure.NO_ENERGY, "energy_wh": 0.0}, "no_energy"),
    ],
)
def test_each_attempt_has_one_outcome(given: dict[str, object], outcome: str) -> None:
    """A failure says why; energy and a technical end is a session that broke off; unknown is neither good nor bad."""
    assert outcome_of(attempt(**given)) == outcome
    assert outcome in OUTCOMES


def test_attempts_count_at_their_site_and_firmware_and_all_outcomes_begin_at_zero() -> None:
    """One failure of a kind is an increase from zero, not a new series that Prometheus takes for old."""
    counts = AttemptCounts()
    counts.count([attempt(), attempt(failure=Failure.FAULT)], "S1", ("V", "M", "1.0"), NOW)
    assert counted(counts) == {
        (n.SITE_ATTEMPTS.name, "S1", "served"): 1,
        (n.SITE_ATTEMPTS.name, "S1", "fault"): 1,
        (n.FIRMWARE_ATTEMPTS.name, "V", "M", "1.0", "served"): 1,
        (n.FIRMWARE_ATTEMPTS.name, "V", "M", "1.0", "fault"): 1,
    }
    assert sum(len(family.samples) for family in counts.collect()) == 2 * len(OUTCOMES)


def test_what_is_told_days_late_is_not_counted_as_of_now() -> None:
    """A charge point that was offline for a week tells its sessions at once: that is no burst of failures now."""
    counts = AttemptCounts()
    counts.count([attempt(ended_at=NOW - timedelta(days=2)), attempt(ended_at=NOW - timedelta(hours=5))], "S1", ("", "", ""), NOW)
    assert counted(counts)[n.SITE_ATTEMPTS.name, "S1", "served"] == 1


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, attempts count under "other": names that charge points invent do not fill the memory."""
    monkeypatch.setattr(attempt_counts, "MAX_FIRMWARES", 2)
    counts = AttemptCounts()
    for version in ("1", "2", "3", "4"):
        counts.count([attempt()], "S1", ("V", "M", version), NOW)
    found = counted(counts)
    assert found[n.FIRMWARE_ATTEMPTS.name, "other", "other", "other", "served"] == 2
    assert (n.FIRMWARE_ATTEMPTS.name, "V", "M", "3", "served") not in found


@pytest.mark.timeout(60)
async def test_the_program_counts_what_charge_points_report() -> None:
    """A boot says what it is; a session without energy is a failed attempt of that firmware at its site."""
    night = Night()
    connector = ConnectorRef(1)
    booted = e.ChargePointBooted(vendor="V", model="M", firmware_version="2.0", serial_number=None, registration="Accepted")
    started = e.TransactionStarted(transaction_id="1", connector=connector, started_at=night.clock.now(), energy_register_wh=1000)
    night.say("CP-1", e.ConnectionOpened(remote="10.0.0.1"), booted)
    night.say("CP-1", started)
    night.clock.advance(600)
    ended_at = night.clock.now()
    night.say("CP-1", e.TransactionStopped(transaction_id="1", connector=connector, stopped_at=ended_at, energy_register_wh=1000))
    task = asyncio.ensure_future(night.alerts.run())
    await asyncio.sleep(0.05)
    await night.judged()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert counted(night.alerts.metrics.attempts) == {
        (n.SITE_ATTEMPTS.name, "A", "no_energy"): 1,
        (n.FIRMWARE_ATTEMPTS.name, "V", "M", "2.0", "no_energy"): 1,
    }
