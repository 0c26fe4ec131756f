"""Transactions and meters: what fires, what does not just below, and what clears."""

from __future__ import annotations

import pytest

from tests.support.tale import DAYS, HOUR, MINUTE, OPENED, Tale, began, ended, read, said


def charging(register_wh: int | None = 0, status: str = "Charging") -> Tale:
    """A transaction that began at 0."""
    tale = Tale()
    tale.tell(0, OPENED, said(status), began(register_wh=register_wh))
    return tale


def test_nothing_five_minutes_after_the_start_is_a_zombie() -> None:
    """Not a second before; over with its stop; and readings of the start itself prove nothing."""
    tale = charging()
    tale.tell(1, read(0, 0))
    sequence = tale.tell(240, read(0, 0))
    assert tale.kinds(299) == []
    finding = tale.only(300, "zombie_transaction")
    assert finding.score == 1.0 and any(sequence in each.sequences for each in finding.evidence)
    tale.tell(310, ended(register_wh=0))
    assert tale.kinds(310) == []


def test_energy_ends_a_zombie() -> None:
    """A car that woke up."""
    tale = charging()
    tale.tell(290, read(0, 0))
    assert tale.kinds(300) == ["zombie_transaction"]
    tale.tell(350, read(120, 7000))
    assert tale.kinds(351) == []


@pytest.mark.parametrize("status", ["SuspendedEV", "SuspendedEVSE", "Finishing"])
def test_what_says_why_nothing_flows_is_no_zombie(status: str) -> None:
    """A car that waits for its own timer is no fault."""
    tale = charging(status=status)
    tale.tell(290, read(0, 0))
    assert tale.kinds(HOUR) == []


def test_a_full_car_is_no_zombie() -> None:
    """It takes nothing."""
    tale = charging()
    tale.tell(290, read(0, 0, soc=99))
    assert tale.kinds(400) == []


def test_no_reading_is_not_nothing() -> None:
    """A connector that never reports readings is not judged by their absence; one that does is, after two of its intervals."""
    tale = charging(None)
    assert tale.kinds(2 * HOUR) == []
    tale.tell(2 * HOUR, ended(), began("2", register_wh=None))
    for index in range(1, 6):
        tale.tell(2 * HOUR + index * 600, read(index * 1000, 6000, transaction_id="2"))
    tale.tell(3 * HOUR, ended("2"), began("3", register_wh=None))
    assert tale.kinds(3 * HOUR + 1199) == []
    assert tale.only(3 * HOUR + 1201, "zombie_transaction").score < 1


def test_still_preparing_with_a_transaction_is_a_zombie() -> None:
    """It started, and never began to charge: no reading is needed to see it."""
    assert charging(status="Preparing").kinds(300) == ["zombie_transaction"]


def test_a_start_from_a_queue_or_without_permission_is_no_zombie() -> None:
    """The first is over already, the second must not flow."""
    tale = Tale()
    tale.tell(0, OPENED, said("Preparing"), said("Preparing", 2))
    tale.tell(1, began("1", 1, offline=True), began("2", 2, token_status="Invalid"))
    assert tale.kinds(600) == []


def test_three_days_are_eternal() -> None:
    """Not a second less; over with its stop."""
    tale = charging()
    tale.tell(3 * DAYS - 60, read(50_000, 3000))
    assert "eternal_transaction" not in tale.kinds(3 * DAYS - 1)
    assert "eternal_transaction" in tale.kinds(3 * DAYS)
    tale.tell(3 * DAYS + 1, ended())
    assert tale.kinds(3 * DAYS + 1) == []


def test_a_transaction_on_a_connector_that_says_available() -> None:
    """After five minutes; readings that go on make it sure; over when the next one begins or it stops."""
    tale = charging()
    tale.tell(60, read(1000, 7000))
    tale.tell(600, said("Available"))
    assert tale.kinds(899) == []
    assert tale.only(900, "transaction_on_available").score < 1
    tale.tell(901, read(2000, 7000))
    assert tale.only(902, "transaction_on_available").score == 1.0
    tale.tell(950, ended())
    assert tale.kinds(950) == []


def test_a_stop_that_never_came_is_told_of_for_a_day() -> None:
    """Then its end is estimated elsewhere."""
    tale = charging()
    tale.tell(60, read(1000, 7000))
    tale.tell(600, said("Available"))
    assert tale.kinds(600 + DAYS) == ["transaction_on_available"]
    assert tale.kinds(601 + DAYS) == []


def test_a_register_that_runs_backwards() -> None:
    """Both records are its evidence; after a day it is no news any more."""
    tale = charging(50_000)
    before = tale.tell(300, read(51_000, 7000))
    after = tale.tell(600, read(40_000, 7000))
    finding = tale.only(600, "register_backwards")
    assert finding.evidence[0].sequences == (before, after)
    assert (finding.evidence[0].value, finding.evidence[0].expected) == (40_000, 51_000)
    assert "register_backwards" in tale.kinds(600 + DAYS - 1)
    assert "register_backwards" not in tale.kinds(600 + DAYS)


def test_a_stop_below_its_start_runs_backwards() -> None:
    """Also where no reading came between."""
    tale = charging(50_000)
    tale.tell(300, ended(register_wh=49_000))
    assert tale.kinds(301) == ["register_backwards"]


def test_a_late_reading_does_not_run_backwards() -> None:
    """By the device's clock it was taken before the last one."""
    tale = charging(0)
    tale.tell(600, read(2000, 7000, seconds=590))
    tale.tell(601, read(1000, 7000, seconds=300))
    tale.tell(602, read(0, context="Transaction.Begin", seconds=None))
    assert tale.kinds(602) == []


def test_a_meter_that_counts_each_session_anew_is_none() -> None:
    """Its register begins at 0 with each transaction."""
    tale = charging(0)
    tale.tell(3600, read(7000, 7000))
    tale.tell(3700, ended(register_wh=7100))
    tale.tell(3800, began("2", register_wh=0))
    tale.tell(4100, read(500, 7000, transaction_id="2"))
    assert tale.kinds(4100) == []


def test_a_register_that_stands_still_while_power_flows() -> None:
    """Once 1 kWh must have flowed, over a quarter of an hour and three readings; over when it rises."""
    tale = charging(0)
    tale.tell(60, read(100, 4000))
    for index in range(1, 5):
        tale.tell(60 + index * 240, read(100, 4000))
    assert tale.kinds(1021) == ["register_frozen"]
    finding = tale.only(1021, "register_frozen")
    assert finding.score == 1.0 and "1.1 kWh have flowed" in finding.evidence[1].what
    tale.tell(1260, read(400, 4000))
    assert tale.kinds(1260) == []


def test_a_little_power_is_no_frozen_register() -> None:
    """A register that counts whole kWh stands still for long."""
    tale = charging(0)
    tale.tell(60, read(1000, 1400))
    for index in range(1, 9):
        tale.tell(60 + index * 300, read(1000, 1400))
    assert tale.kinds(2500) == []
    tale.tell(2700, read(1000, 1400))
    assert tale.kinds(2701) == ["register_frozen"]


def test_a_register_at_rest_without_power_readings_is_less_sure() -> None:
    """Only after two hours of Charging."""
    tale = charging(0)
    for index in range(1, 14):
        tale.tell(index * 600, read(5000))
    assert tale.kinds(13 * 600) == ["register_frozen"]
    assert tale.only(13 * 600, "register_frozen").score == 0.6
    suspended = charging(0)
    for index in range(1, 14):
        suspended.tell(index * 600, read(5000))
    suspended.tell(12 * 600, said("SuspendedEV"))
    assert suspended.kinds(13 * 600) == []


def test_a_jump_is_more_than_can_flow() -> None:
    """Of a connector seen at 7 kW: 30 kWh in five minutes; 1 kWh is none; after a day it is no news."""
    tale = charging(0)
    tale.tell(300, read(580, 7000))
    tale.tell(600, read(1580, 7000))
    assert tale.kinds(600) == []
    tale.tell(900, read(31_580, 7000))
    finding = tale.only(900, "meter_jump")
    assert finding.evidence[0].value == 30_000
    assert "meter_jump" not in tale.kinds(900 + DAYS)


def test_a_backlog_of_readings_is_no_jump() -> None:
    """They come within a second and were taken over an hour."""
    tale = charging(0)
    for index in range(12):
        tale.tell(5000 + index / 10, read(index * 8000.0, 90_000, seconds=1000 + index * 330))
    assert "meter_jump" not in tale.kinds(5010)


def test_a_fast_charger_without_power_readings_is_given_half_a_megawatt() -> None:
    """Nothing is known of it but that no charger gives more."""
    tale = charging(0)
    tale.tell(60, read(1000))
    tale.tell(60 + 5 * MINUTE, read(1000 + 30_000))
    assert tale.kinds(400) == []
    tale.tell(60 + 10 * MINUTE, read(31_000 + 80_000))
    assert tale.kinds(700) == ["meter_jump"]
