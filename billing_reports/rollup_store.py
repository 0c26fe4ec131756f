"""The port of what rollups keep. Adapters are in billing_reports/storage/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from billing_reports.rollup_state import PointState, Span
from billing_reports.rollups import HourAmounts, HourRevenue, HourRow, PointSum


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch of facts changed."""

    states: dict[str, bytes]
    """Charge point → its encoded PointState; "" is the journal as a whole."""
    dirty: dict[str, datetime]
    """Charge point → the earliest hour to make again."""
    spans: Sequence[Span]
    amounts: Sequence[HourAmounts]


class Rolled(msgspec.Struct, frozen=True):
    """What making hours did: charge points looked at, rows written, and rows of complete hours that changed."""

    points: int
    rows: int
    restated: int


class RollupStore(Protocol):
    """Raises StoreUnavailable when the database does not answer."""

    async def position(self) -> int:
        """The journal sequence that everything stands at."""

    async def states(self, charge_point_ids: Iterable[str]) -> dict[str, bytes]:
        """States of these charge points, as far as there are any."""

    async def save(self, batch: Batch, after: int, upto: int) -> None:
        """Store a batch and move the position, all in one SQL transaction. Raises StoreUnavailable when it is not at `after`."""

    async def roll(self, upto: datetime, limit: int = 200) -> Rolled:
        """Make the due hours before `upto` (a full hour) of up to `limit` charge points; `points` 0: nothing is due any more."""

    async def earned_upto(self) -> int:
        """The ordinal of the last CDR whose revenue is in the hours."""

    async def earn(self, earned: Sequence[HourRevenue], after: int, upto: int) -> int:
        """Add revenue and move its position, all in one SQL transaction; how many hours changed.

        A complete hour that changes is a new revision of it. Raises StoreUnavailable when the position is not at `after`.
        """

    async def sums(self, start: datetime, end: datetime) -> list[PointSum]:
        """Hours of [start, end) summed by charge point."""

    async def rows(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None = None, limit: int = 1000
    ) -> list[HourRow]:
        """Rows of [start, end) in order of (hour, charge point, connector), beginning after that key."""

    async def spans(self, charge_point_ids: Sequence[str], start: datetime, end: datetime) -> list[Span]:
        """Intervals that overlap [start, end), of these charge points, in order of time."""

    async def points(self) -> dict[str, PointState]:
        """Every charge point that was heard of."""

    async def unexported(self, limit: int = 1000) -> list[HourRow]:
        """Complete hours that changed since they were exported, or never were, oldest first."""

    async def exported(self, rows: Sequence[HourRow]) -> None:
        """These rows, as they are given, are exported. One that has changed meanwhile stays due."""

    async def reset(self) -> None:
        """Drop everything derived, both positions 0."""
