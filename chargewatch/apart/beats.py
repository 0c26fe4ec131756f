"""Heartbeats for programs apart. Decided here: how many wait, and what a position among them means."""

from __future__ import annotations

from collections import deque
from itertools import islice

KEPT_BEATS = 100_000
"""Heartbeats that wait for a program that looks every second: of more charge points than one collector serves."""


class Beats:
    """The latest heartbeats. They leave no record: one that is dropped here is only a measure of silence and jitter less.

    `began` grows from one run of the collector to the next (its clock, in microseconds), so that no position means two things.
    """

    def __init__(self, began: int = 0) -> None:
        self._kept: deque[tuple[str, float]] = deque(maxlen=KEPT_BEATS)
        self.upto = began

    def add(self, charge_point_id: str, at: float) -> None:
        """One more."""
        self._kept.append((charge_point_id, at))
        self.upto += 1

    def after(self, position: int) -> list[tuple[str, float]]:
        """Those since `position`, oldest first; all that are kept for one of another run, or that this one has not reached."""
        missing, kept = self.upto - position, len(self._kept)
        count = kept if missing < 0 else min(missing, kept)
        return list(islice(self._kept, kept - count, None))
