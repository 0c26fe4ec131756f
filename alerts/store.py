"""The port of what alerts keep: cases, their history, maintenance windows, and how far the journal has been judged.

Every method raises StoreUnavailable when the store does not answer. The adapters are in storage/; the memory one is for tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from alerts.case import Case, Change
from alerts.maintenance import Window
from chargenet.stores import Page


class PastChange(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a case's history."""

    change_id: int
    case_id: int
    at: datetime
    what: str
    why: str
    who: str | None = None
    state: str
    severity: str


class Piece(msgspec.Struct, frozen=True):
    """A part of what is known, encoded: opaque to the store. None: it is to be removed."""

    name: str
    state: bytes | None


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The pieces that changed since the last one, and the journal position that they stand at."""

    pieces: Sequence[Piece]
    after: int
    upto: int


class CaseStore(Protocol):
    """Cases and their surroundings. One writer: the loop."""

    async def position(self) -> int:
        """How far the journal is in the pieces."""

    async def pieces(self, after: str, limit: int) -> list[Piece]:
        """Up to `limit` pieces by name > `after`."""

    async def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store pieces and move the position from `after` to `upto`, in one SQL transaction.

        Raises StoreUnavailable, changing nothing, when the position is not `after`.
        """

    async def restart(self, position: int) -> None:
        """Forget all pieces and begin at `position`: they are of a version that cannot be read any more."""

    async def save(self, changes: Sequence[Change], at: datetime) -> None:
        """Store the cases as they are now, and a line of history for each change that is news, in one SQL transaction."""

    async def mark_told(self, told: dict[int, int]) -> None:
        """The relay has stored these revisions (case id → revision)."""

    async def current(self, resolved_since: datetime) -> list[Case]:
        """All unresolved cases, those resolved since, and those whose end nobody was told of."""

    async def next_id(self) -> int:
        """Above every case id ever used."""

    async def case(self, case_id: int) -> Case | None: ...

    async def history(self, case_id: int) -> list[PastChange]:
        """Oldest first, at most 1000."""

    async def cases(
        self,
        *,
        is_open: bool | None = None,
        kind: str | None = None,
        severity: str | None = None,
        site_id: str | None = None,
        charge_point_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Case]:
        """Newest first by id."""

    async def add_window(self, window: Window) -> Window:
        """The window with its id."""

    async def end_window(self, window_id: int, who: str, at: datetime) -> Window:
        """Raises NotFound, and Conflict when it is over."""

    async def windows(self, *, ends_after: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Window]:
        """Newest first; `ends_after`: only those that are not over then."""
