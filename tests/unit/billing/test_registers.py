"""Registers of one transaction: energy, dips, rollover, another meter, or a broken report (billing rules 3.9)."""

from __future__ import annotations

import pytest

from billing_reports.registers import Curve, RegisterBackwards, RegisterPoint, curve

KWH = 1_000_000
MINUTE = 60_000


def _curve(*registers: float, official_end: bool = True, every: int = 10 * MINUTE) -> Curve:
    """Registers in kWh, one every ten minutes."""
    points = [RegisterPoint(index * every, round(each * KWH)) for index, each in enumerate(registers)]
    return curve(points, official_end=official_end)


def test_a_rising_register_is_its_difference() -> None:
    """Energies are differences to the start, and nothing is odd."""
    made = _curve(100, 101, 103.5)
    assert (made.energies, made.flags, made.estimated) == ((0, 1 * KWH, 3_500_000), frozenset(), False)


def test_a_dip_adds_nothing() -> None:
    """3.9: 100, 101, 100.5, 102 is 2.0 kWh by the running maximum, not 2.5."""
    made = _curve(100, 101, 100.5, 102)
    assert made.energies == (0, 1 * KWH, 1 * KWH, 2 * KWH)
    assert made.flags == {"register_dip"}
    assert not made.estimated


def test_a_rollover_is_counted_through() -> None:
    """A 32-bit counter of Wh that wraps has delivered what is left to its end and what it shows since."""
    end = 2**32 / 1000
    made = _curve(end - 2, end - 1, 1.5, 3)
    assert made.total == 5 * KWH
    assert "register_rollover" in made.flags
    assert not made.estimated


@pytest.mark.parametrize("digits", [10_000, 100_000, 1_000_000])
def test_a_decimal_display_rolls_over(digits: int) -> None:
    """Displays wrap at a power of ten kWh, also when only the end was reported after it."""
    assert _curve(digits - 1, digits - 0.25, 0.5).total == round(1.5 * KWH)


def test_a_swapped_meter_counts_on_both_sides() -> None:
    """What was delivered between the last reading of one meter and the first of the next is nobody's guess: not billed."""
    made = _curve(5000, 5004, 12, 15)
    assert made.total == 7 * KWH
    assert made.estimated
    assert "meter_swapped" in made.flags


def test_an_end_below_the_start_is_refused() -> None:
    """3.9: meterStop < meterStart without readings in between is for a person."""
    with pytest.raises(RegisterBackwards):
        _curve(5000, 4000)


def test_an_end_below_the_readings_is_not_used() -> None:
    """A stop register of 0 after readings that rise: the readings are billed, and it is said."""
    made = _curve(5000, 5004, 5006, 0)
    assert made.total == 6 * KWH
    assert made.estimated
    assert made.flags == {"stop_register_refused"}


def test_the_official_end_wins_over_a_rounding() -> None:
    """A last reading a little above the stop register: the stop register is what the driver saw."""
    made = _curve(100, 101, 102.0009, 102)
    assert made.energies == (0, 1 * KWH, 2 * KWH, 2 * KWH)


def test_without_an_official_end_the_last_reading_counts() -> None:
    """Nothing is added to what is known."""
    assert _curve(100, 101, 101.25, official_end=False).total == 1_250_000
