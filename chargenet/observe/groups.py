"""Sums over many connectors, made at scrape: by site, by vendor and model, by firmware. Decided here: what is summed, and that
a connector whose status is not known any more counts as Unknown, never as what it once was.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from chargenet.observe.names import Family
from chargenet.observe.series import Interner, header, integers

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class GroupFamilies(msgspec.Struct, frozen=True):
    """The five families of one grouping."""

    points: Family
    connected: Family
    connectors: Family
    power: Family
    transactions: Family


class Fleet(msgspec.Struct, frozen=True):
    """The fleet as columns: per charge point row, and per connector row. NaN where there is no value; -1 for free rows."""

    connected: Floats
    point_of: Integers
    status: Floats
    power: Floats
    active: Floats
    statuses: Sequence[bytes]
    """Label text of each status number; number 0 is Unknown."""


class Grouping:
    """Which group each charge point is in, and the sums per group."""

    def __init__(self, families: GroupFamilies, limit: int, overflow: bytes) -> None:
        self.families = families
        self.interner = Interner(limit, overflow)
        self.ids = array("q")
        """Charge point row → group number, -1 for a free row."""

    def assign(self, row: int, labels: bytes) -> None:
        """The charge point of this row is in the group with these labels."""
        if row >= len(self.ids):
            self.ids.extend([-1] * (row + 1 - len(self.ids)))
        self.ids[row] = self.interner.number(labels)

    def text(self, fleet: Fleet) -> bytes:
        """All five families."""
        ids = integers(self.ids)
        groups = len(self.interner.words)
        used = ids >= 0
        points = np.bincount(ids[used], minlength=groups)
        connected = np.bincount(ids[used], weights=np.nan_to_num(fleet.connected[used]), minlength=groups)
        rows = np.nonzero(fleet.point_of >= 0)[0]
        group = ids[fleet.point_of[rows]]
        power = np.bincount(group, weights=np.nan_to_num(fleet.power[rows]), minlength=groups)
        active = np.bincount(group, weights=np.nan_to_num(fleet.active[rows]), minlength=groups)
        width = len(fleet.statuses)
        status = np.nan_to_num(fleet.status[rows]).astype(np.int64)
        by_status = np.bincount(group * width + status, minlength=groups * width)
        families = self.families
        there = np.nonzero(points)[0].tolist()
        return b"".join(
            [
                self._family(families.points, there, points, b"%d"),
                self._family(families.connected, there, connected, b"%d"),
                self._family(families.power, there, power, b"%a"),
                self._family(families.transactions, there, active, b"%d"),
                self._by_status(families.connectors, by_status, width, fleet.statuses),
            ]
        )

    def _family(self, family: Family, groups: list[int], values: Floats | Integers, form: bytes) -> bytes:
        name, words = family.name.encode(), self.interner.words
        line: Callable[[tuple[bytes, bytes, float]], bytes] = (b"%b{%b} " + form + b"\n").__mod__
        return header(family) + b"".join(line((name, words[group], float(values[group]))) for group in groups)

    def _by_status(self, family: Family, counts: Integers, width: int, statuses: Sequence[bytes]) -> bytes:
        name, words = family.name.encode(), self.interner.words
        lines = [
            b"%b{%b,%b} %d\n" % (name, words[number // width], statuses[number % width], counts[number])
            for number in np.nonzero(counts)[0].tolist()
        ]
        return header(family) + b"".join(lines)
