"""Times in which nobody could be heard: found by two clocks, and left out of every silence."""

from __future__ import annotations

from datetime import timedelta

from chargenet.model.standstill import CATCH_UP_S, MOST, STILL_S, Standstills
from chargenet.testing import FrozenClock


class Process:
    """One that beats every second while it runs."""

    def __init__(self) -> None:
        self.clock, self.standstills = FrozenClock(), Standstills()
        self.beat()

    def beat(self) -> None:
        self.standstills.beat(self.clock.now(), self.clock.monotonic())

    def runs(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.beat()

    def silence(self, seconds: float) -> tuple[float, float]:
        """What counts of the last `seconds`, by the monotonic and by the wall clock."""
        now, monotonic = self.clock.now(), self.clock.monotonic()
        deaf = self.standstills.between(monotonic - seconds, monotonic)
        return seconds - deaf, seconds - self.standstills.between_instants(now - timedelta(seconds=seconds), now)


def test_one_that_runs_hears_everything() -> None:
    """Late beats of a busy event loop are no standstills."""
    process = Process()
    for late in (0.0, 0.5, 2.0):
        process.clock.advance(1.0 + late)
        process.beat()
    assert process.standstills.count == 0 and not process.standstills.catching_up(process.clock.monotonic())
    assert process.silence(5.5) == (5.5, 5.5)


def test_a_stopped_process() -> None:
    """Both clocks go on while it is stopped; what was silent before and after counts, what lies between does not."""
    process = Process()
    process.runs(100)
    process.clock.advance(600.0)
    process.beat()
    assert (process.standstills.count, process.standstills.last_s) == (1, 600.0)
    assert process.silence(650.0) == (50.0, 50.0)
    process.runs(30)
    counted = 50.0 + 30.0 - CATCH_UP_S
    assert process.silence(680.0) == (counted, counted)
    assert process.silence(20.0) == (20.0, 20.0)


def test_a_suspended_machine() -> None:
    """CLOCK_MONOTONIC stood: only silences by the wall clock would be too long."""
    process = Process()
    process.runs(10)
    process.clock.jump(process.clock.now() + timedelta(hours=8))
    process.runs(1)
    assert process.standstills.catching_up(process.clock.monotonic())
    assert process.silence(1.0)[0] == 1.0
    assert process.silence(8 * 3600.0 + 11)[1] == 10.0


def test_a_clock_set_forward() -> None:
    """Ten minutes that nobody lived through are no silence; the second between two beats goes with them."""
    process = Process()
    process.runs(20)
    process.clock.jump(process.clock.now() + timedelta(minutes=10))
    process.runs(20)
    assert process.silence(640.0)[1] == 39.0 - CATCH_UP_S


def test_a_clock_set_forward_and_back() -> None:
    """Afterwards silences are measured by the time that there is again: the wrong minutes hide nobody."""
    process = Process()
    process.runs(20)
    right = process.clock.now()
    process.clock.jump(right + timedelta(hours=1))
    process.runs(10)
    process.clock.jump(right + timedelta(seconds=10))
    process.runs(50)
    assert process.standstills.count == 1
    assert process.silence(50.0)[1] == 49.0


def test_standing_still_again_and_again_hides_nobody() -> None:
    """Each standstill takes its own length from a silence, so whoever is gone is found by and by."""
    process = Process()
    for _ in range(10):
        process.runs(60)
        process.clock.advance(30.0)
        process.beat()
    process.runs(60)
    assert process.silence(960.0)[0] >= 11 * (60 - CATCH_UP_S)


def test_standstills_that_follow_one_another_are_counted_once() -> None:
    """One that begins while the last is still being caught up with does not count that time twice."""
    process = Process()
    process.runs(10)
    for _ in range(3):
        process.clock.advance(100.0)
        process.beat()
        process.runs(1)
    assert process.standstills.count == 3
    assert process.silence(313.0) == (10.0, 10.0)


def test_what_is_remembered_is_bounded() -> None:
    """The oldest are forgotten first: they lie before every silence that is still of interest."""
    process = Process()
    for _ in range(MOST + 10):
        process.runs(20)
        process.clock.advance(STILL_S + 7)
        process.beat()
    process.runs(int(CATCH_UP_S))
    assert process.silence(30.0 * (MOST + 20))[0] == 30.0 * (MOST + 20) - MOST * (STILL_S + 7 + CATCH_UP_S)
