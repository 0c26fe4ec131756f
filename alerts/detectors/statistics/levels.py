"""All tests over one view. Decided here: which tests there are, and which finding speaks when two say the same."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from alerts.detectors.statistics.failing import Failing
from alerts.detectors.statistics.intervals import MeterIntervals
from alerts.detectors.statistics.power import Power
from alerts.detectors.statistics.silence import Silence
from alerts.detectors.statistics.table import Array
from alerts.detectors.statistics.temperature import Temperature
from alerts.detectors.statistics.view import View


class Levels:
    """The tests of one view, each made when it is first asked for."""

    def __init__(self, view: View) -> None:
        self.view = view

    @cached_property
    def zero_energy(self) -> Failing:
        """Nothing at all, one driver after another."""
        return Failing(self.view, only_empty=True)

    @cached_property
    def failing_attempts(self) -> Failing:
        """Any failure."""
        return Failing(self.view, only_empty=False)

    @cached_property
    def silent(self) -> Silence:
        """Nobody comes."""
        return Silence(self.view)

    @cached_property
    def power_derated(self) -> Power:
        """Less power than offered."""
        return Power(self.view)

    @cached_property
    def temperature_above_siblings(self) -> Temperature:
        """Hotter than its siblings."""
        return Temperature(self.view)

    @cached_property
    def irregular_meter_values(self) -> MeterIntervals:
        """Irregular readings."""
        return MeterIntervals(self.view)

    def e(self) -> dict[str, Array]:
        """Kind → expected chance findings per connector-month as strong as what is seen, one per row."""
        return {kind: getattr(self, kind).e for kind in KINDS}

    def found(self) -> dict[str, Array]:
        """Kind → whether it is found, per row. A connector that gives nothing is not also told to fail often."""
        settings = self.view.settings
        limits = {
            "zero_energy": settings.no_energy_limit,
            "failing_attempts": settings.failing_limit,
            "silent": settings.silence_limit,
            "power_derated": settings.power_limit,
            "temperature_above_siblings": settings.temperature_limit,
            "irregular_meter_values": settings.intervals_limit,
        }
        found = {kind: e <= limits[kind] for kind, e in self.e().items()}
        unreported = ~self.power_derated.offered & (self.power_derated.e > settings.power_unreported_limit)
        found["power_derated"] = np.logical_and(found["power_derated"], ~unreported)
        found["failing_attempts"] = np.logical_and(found["failing_attempts"], ~found["zero_energy"])
        return found


KINDS = (
    "zero_energy",
    "failing_attempts",
    "silent",
    "power_derated",
    "temperature_above_siblings",
    "irregular_meter_values",
)
"""Kinds about connectors, as in alerts/kinds.py."""
