"""Cars charge as cars do, and the numbers of a reading agree with each other."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.physics import Car, arriving_car, electrical, wanted_power_w, warmed

CAR = Car(battery_wh=77_000, max_power_w=170_000, soc_ratio=0.1, target_ratio=0.8)


def test_a_dc_curve_rises_holds_and_falls() -> None:
    """Full power between a tenth and half, a third at 80 %, nothing when full."""
    powers = [wanted_power_w(CAR, soc / 100, direct=True) for soc in range(101)]
    assert powers[0] == pytest.approx(0.6 * CAR.max_power_w)
    assert powers[10] == powers[30] == CAR.max_power_w
    assert powers[80] == pytest.approx(0.34 * CAR.max_power_w)
    assert powers[100] == 0
    assert all(later <= earlier for earlier, later in pairwise(powers[50:]))


def test_a_dc_curve_has_no_jumps() -> None:
    """One percent of charge never changes the power by more than 5 %, until the battery is full."""
    powers = [wanted_power_w(CAR, soc / 1000, direct=True) for soc in range(1000)]
    assert max(abs(a - b) for a, b in pairwise(powers)) < 0.005 * CAR.max_power_w


def test_ac_holds_until_nearly_full() -> None:
    """An AC car takes all that it can until 95 %, then less and less."""
    assert wanted_power_w(CAR, 0.9, direct=False) == CAR.max_power_w
    assert wanted_power_w(CAR, 0.975, direct=False) == pytest.approx(0.5 * CAR.max_power_w)
    assert wanted_power_w(CAR, 1.0, direct=False) == 0


@given(seed=st.integers(), direct=st.booleans(), station_kw=st.floats(3, 400), phases=st.sampled_from([1, 3]), soc=st.floats(0, 1))
def test_volts_times_amperes_is_power(seed: int, direct: bool, station_kw: float, phases: int, soc: float) -> None:
    """In every reading, the sum over the phases of volts times amperes is the power, to the meter's rounding."""
    rng = random.Random(seed)
    car = arriving_car(rng, direct=direct, station_w=station_kw * 1e3, speed=1.0)
    power_w = wanted_power_w(car, soc, direct=direct)
    shown = electrical(car, soc, power_w, rng, direct=direct, phases=phases)
    total = sum(volts * amperes for (_, volts), (_, amperes) in zip(shown.volts, shown.amperes, strict=True))
    assert total == pytest.approx(power_w, abs=0.006 * sum(volts for _, volts in shown.volts))
    assert [phase for phase, _ in shown.volts] == ([None] if direct else ["L1", "L2", "L3"][:phases])


@given(seed=st.integers(), direct=st.booleans(), station_kw=st.floats(3, 400))
def test_a_car_wants_more_than_it_has_and_no_more_than_there_is(seed: int, direct: bool, station_kw: float) -> None:
    """A car comes with less than it leaves with, and draws no more than the charge point gives."""
    car = arriving_car(random.Random(seed), direct=direct, station_w=station_kw * 1e3, speed=1.0)
    assert 0 < car.soc_ratio < car.target_ratio <= 1.0
    assert car.max_power_w <= station_kw * 1e3


def test_speed_makes_batteries_smaller_and_never_power_larger() -> None:
    """At ten times the speed the same car has a tenth of the battery and the same power."""
    real, quick = (arriving_car(random.Random(3), direct=True, station_w=150e3, speed=speed) for speed in (1.0, 10.0))
    assert quick.battery_wh == pytest.approx(real.battery_wh / 10)
    assert quick.max_power_w == real.max_power_w


def test_warmth_approaches_its_end_and_never_passes_it() -> None:
    """Under full load the temperature rises towards 51 degrees; one long step is as good as many short ones."""
    short = 19.0
    for _ in range(60):
        short = warmed(short, 1.0, 10.0)
    assert short == pytest.approx(warmed(19.0, 1.0, 600.0))
    assert 45 < short < 51
    assert math.isclose(warmed(short, 0.0, 1e6), 19.0)
