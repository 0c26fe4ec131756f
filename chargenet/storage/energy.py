"""Energy per connector and hour from registers. Decided here: what a difference of two registers is worth, and which hours get it.

Between two consecutive registers of a connector, the energy is their difference, spread evenly over the time between them: the
hours of a connector add up to its last register less its first. A register that falls (a meter was replaced or reset) is worth
nothing, never less. Of several registers at one instant the latest frame's counts; within one frame the highest.
The reading before and the reading after the range take part, so that adjacent ranges add up to their union.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chargenet.storage.ranges import MAX_GAP_HOURS, enough

HOUR_US = 3_600_000_000

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class HourlyEnergy:
    """Energy of (connector key, hour), as columns of one length, ordered by both."""

    def __init__(self, keys: Integers, hours_us: Integers, energy_wh: Floats) -> None:
        self.keys, self.hours_us, self.energy_wh = keys, hours_us, energy_wh


def hourly_energy(
    keys: Integers, at_us: Integers, register_wh: Floats, sequences: Integers, start_us: int, end_us: int
) -> HourlyEnergy:
    """Registers in any order → energy per key and UTC hour within [start, end). `keys` stand for connectors."""
    keys, at_us, register_wh = _one_per_instant(keys, at_us, register_wh, sequences)
    same = keys[1:] == keys[:-1]
    begins, ends = at_us[:-1][same], at_us[1:][same]
    energy_wh = np.maximum(np.diff(register_wh)[same], 0.0)
    return _by_hour(keys[1:][same], begins, ends, energy_wh, start_us, end_us)


def _one_per_instant(
    keys: Integers, at_us: Integers, register_wh: Floats, sequences: Integers
) -> tuple[Integers, Integers, Floats]:
    """Ordered by key and instant, one register each."""
    order = np.lexsort((at_us, keys))
    keys, at_us = keys[order], at_us[order]
    repeated = (keys[1:] == keys[:-1]) & (at_us[1:] == at_us[:-1])
    if not repeated.any():
        return keys, at_us, register_wh[order]
    register_wh, sequences = register_wh[order], sequences[order]
    order = np.lexsort((register_wh, sequences, at_us, keys))
    keys, at_us, register_wh = keys[order], at_us[order], register_wh[order]
    last = np.append((keys[1:] != keys[:-1]) | (at_us[1:] != at_us[:-1]), True)
    return keys[last], at_us[last], register_wh[last]


def _by_hour(keys: Integers, begins: Integers, ends: Integers, energy_wh: Floats, start_us: int, end_us: int) -> HourlyEnergy:
    """Spread each interval's energy over the hours that it touches, by the share of its time."""
    low, high = np.maximum(begins, start_us), np.minimum(ends, end_us)
    inside = (low < high) & (energy_wh > 0)
    keys, begins, ends, energy_wh = keys[inside], begins[inside], ends[inside], energy_wh[inside]
    low, high = low[inside], high[inside]
    first = low // HOUR_US
    touched = (high - 1) // HOUR_US - first + 1
    enough(int(touched.sum()) - len(touched), MAX_GAP_HOURS)
    row = np.repeat(np.arange(len(keys)), touched)
    hour: Integers = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(touched) - touched, touched)
    share = (np.minimum(high[row], (hour + 1) * HOUR_US) - np.maximum(low[row], hour * HOUR_US)) / (ends - begins)[row]
    return _summed(keys[row], hour, energy_wh[row] * share)


def _summed(keys: Integers, hour: Integers, energy_wh: Floats) -> HourlyEnergy:
    """One row per key and hour; they come in that order already, because intervals do."""
    if len(keys) == 0:
        return HourlyEnergy(keys, hour, energy_wh)
    new = np.append(True, (keys[1:] != keys[:-1]) | (hour[1:] != hour[:-1]))
    starts = np.flatnonzero(new)
    return HourlyEnergy(keys[starts], hour[starts] * HOUR_US, np.add.reduceat(energy_wh, starts))
