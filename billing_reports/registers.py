"""Registers of one transaction → its energy over time. Decided here: dips, rollover, a swapped meter, an official end.

Pure integers: registers and energies are mWh, instants ms. What a reading cannot explain is never billed: a dip adds nothing
(running maximum), a meter that was swapped counts up to the last reading before and from the first one after.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import msgspec

MWH_PER_KWH = 1_000_000
LARGEST_W = 4_000_000
"""No connector delivers more (the megawatt charging system ends at 3.75 MW)."""
ROUNDING_MWH = MWH_PER_KWH
"""An official end this far below the last reading is a rounding or a race, and is what counts."""
_ROLLOVER_W = 400_000
_HOUR_MS = 3_600_000
# Where counters wrap: 31 and 32 bits of Wh, of 0.1 Wh and of mWh, and full decimal displays of 10 MWh to 100 GWh.
_MODULI = tuple(
    sorted(
        {2**31 * 1000, 2**32 * 1000, 2**31 * 100, 2**32 * 100, 2**32, *(10**power * 1000 for power in range(7, 12))}
    )
)  # fmt: skip


class RegisterPoint(msgspec.Struct, frozen=True):
    """A register at an instant."""

    at: int
    value: int


class Curve(msgspec.Struct, frozen=True):
    """Energy since the start at each point (same order, never falling), and what was odd."""

    energies: tuple[int, ...]
    notes: tuple[str, ...]
    flags: frozenset[str]
    estimated: bool = False
    """The end is what the readings prove, not what was reported."""

    @property
    def total(self) -> int:
        """mWh."""
        return self.energies[-1] if self.energies else 0


class RegisterBackwards(Exception):
    """The end is below the start, and nothing explains it."""


def deliverable(watts: int, duration_ms: int) -> int:
    """mWh that `watts` can deliver, and one kWh for clocks that are off."""
    return watts * 1000 * max(0, duration_ms) // _HOUR_MS + MWH_PER_KWH


def curve(points: Sequence[RegisterPoint], *, official_end: bool) -> Curve:
    """Energies of points in order of time; the first is the start. `official_end`: the last one is the reported stop register.

    Raises RegisterBackwards where the end lies below the start and no reading shows energy in between.
    """
    walk = _Walk(points)
    for index in range(1, len(points)):
        walk.step(index)
    estimated = walk.swapped
    energies = walk.energies
    if official_end and len(points) > 1:
        energies, refused = _ended(walk, points)
        estimated = estimated or refused
    return Curve(tuple(energies), tuple(walk.notes), frozenset(walk.flags), estimated)


def _ended(walk: _Walk, points: Sequence[RegisterPoint]) -> tuple[list[int], bool]:
    """The reported end counts, unless it is the only witness of a fall that nothing explains."""
    if walk.lost_at_end:
        if walk.energies[-1] == 0:
            raise RegisterBackwards
        walk.notes[-1] = "not used: below the start, and the readings say otherwise"
        walk.flags.add("stop_register_refused")
        walk.flags.discard("meter_swapped")
        return walk.energies, True
    if walk.swapped or walk.rolled:
        return walk.energies, False
    final = points[-1].value - points[0].value
    if final < 0:
        raise RegisterBackwards
    if walk.energies[-1] - final > ROUNDING_MWH:
        walk.flags.add("register_disagrees")
    return [min(energy, final) for energy in walk.energies[:-1]] + [final], False


class _Walk:
    """One pass over the points. `offset` + (value - `reference`) is the energy in the present life of the register."""

    def __init__(self, points: Sequence[RegisterPoint]) -> None:
        self._points = points
        self._offset, self._reference, self._high = 0, points[0].value, points[0].value
        self.energies = [0]
        self.notes = [""]
        self.flags: set[str] = set()
        self.swapped = self.rolled = self.lost_at_end = False
        self._best_from = list(accumulate((point.value for point in reversed(points)), max))[::-1]
        """The highest value from each point on."""

    def step(self, index: int) -> None:
        """Take in one point."""
        value = self._points[index].value
        if value >= self._high:
            self._high = value
            self._count("")
        elif self._best_from[index] >= self._high - ROUNDING_MWH:
            self.flags.add("register_dip")
            self._count("dip: below an earlier reading, adds nothing")
        elif (wrapped := self._wrapped(index)) is not None:
            self._offset, self._reference, self._high = self._energy + wrapped - self._high, 0, value
            self.rolled = True
            self.flags.add("register_rollover")
            self._count("rollover: the counter began again at 0")
        else:
            self._swap(index, value)

    def _swap(self, index: int, value: int) -> None:
        self.lost_at_end = index == len(self._points) - 1
        self._offset, self._reference, self._high = self._energy, value, value
        self.swapped = True
        self.flags.add("meter_swapped")
        self._count("another meter, or the counter was reset: counted from here on anew")

    def _count(self, note: str) -> None:
        self.energies.append(self._energy)
        self.notes.append(note)

    @property
    def _energy(self) -> int:
        return self._offset + self._high - self._reference

    def _wrapped(self, index: int) -> int | None:
        """The modulus at which the counter wrapped, if what it counted since then is deliverable."""
        before, point = self._points[index - 1], self._points[index]
        most = deliverable(_ROLLOVER_W, point.at - before.at)
        return next((each for each in _MODULI if self._high < each and each - self._high + point.value <= most), None)
