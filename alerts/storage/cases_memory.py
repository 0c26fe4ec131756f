"""Cases in memory: the fake of `alerts.store.CaseStore`, which passes the same contract suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from alerts.case import NEWS, Case, Change
from alerts.maintenance import Window
from alerts.store import Checkpoint, PastChange, Piece
from chargenet.errors import Conflict, NotFound, StoreUnavailable
from chargenet.storage import paging
from chargenet.stores import MAX_LIMIT, Page


class MemoryCases:
    """Implements `alerts.store.CaseStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._position = 0
        self._pieces: dict[str, bytes] = {}
        self._cases: dict[int, Case] = {}
        self._changes: list[PastChange] = []
        self._windows: dict[int, Window] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def position(self) -> int:
        self._asked()
        return self._position

    async def pieces(self, after: str, limit: int) -> list[Piece]:
        self._asked()
        names = sorted(name for name in self._pieces if name > after)[:limit]
        return [Piece(name, self._pieces[name]) for name in names]

    async def checkpoint(self, checkpoint: Checkpoint) -> None:
        self._asked()
        if self._position != checkpoint.after:
            raise StoreUnavailable("sql", f"alerts is at {self._position}, not at {checkpoint.after}: another write came between")
        self._position = checkpoint.upto
        for piece in checkpoint.pieces:
            if piece.state is None:
                self._pieces.pop(piece.name, None)
            else:
                self._pieces[piece.name] = piece.state

    async def restart(self, position: int) -> None:
        self._asked()
        self._pieces.clear()
        self._position = position

    async def save(self, changes: Sequence[Change], at: datetime) -> None:
        self._asked()
        for change in changes:
            case = change.case
            self._cases[case.case_id] = case
            if NEWS[change.what]:
                line = PastChange(
                    change_id=len(self._changes) + 1, case_id=case.case_id, at=at, what=change.what, why=change.why,
                    who=change.who, state=case.state, severity=case.severity,
                )  # fmt: skip
                self._changes.append(line)

    async def mark_told(self, told: dict[int, int]) -> None:
        self._asked()
        for case_id, revision in told.items():
            self._cases[case_id] = msgspec.structs.replace(self._cases[case_id], told=revision)

    async def current(self, resolved_since: datetime) -> list[Case]:
        self._asked()
        return [
            case
            for _, case in sorted(self._cases.items())
            if case.resolved_at is None or case.resolved_at >= resolved_since or 0 < case.told < case.revision
        ]

    async def next_id(self) -> int:
        self._asked()
        return max(self._cases, default=0) + 1

    async def case(self, case_id: int) -> Case | None:
        self._asked()
        return self._cases.get(case_id)

    async def history(self, case_id: int) -> list[PastChange]:
        self._asked()
        return [line for line in self._changes if line.case_id == case_id][:MAX_LIMIT]

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
        self._asked()
        wanted = {"is_open": is_open, "kind": kind, "severity": severity, "site_id": site_id, "charge_point_id": charge_point_id}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        key = paging.decode(cursor, int)
        rows = [
            case
            for case_id, case in sorted(self._cases.items(), reverse=True)
            if all(getattr(case, name) == value for name, value in wanted.items()) and _before(case_id, key)
        ]
        return paging.page(rows, paging.bounded(limit), lambda row: (row.case_id,))

    async def add_window(self, window: Window) -> Window:
        self._asked()
        added = msgspec.structs.replace(window, window_id=len(self._windows) + 1)
        self._windows[added.window_id] = added
        return added

    async def end_window(self, window_id: int, who: str, at: datetime) -> Window:
        self._asked()
        window = self._windows.get(window_id)
        if window is None:
            raise NotFound("maintenance window", str(window_id))
        if window.ended_at is not None or window.ends_at <= at:
            raise Conflict(f"maintenance window {window_id} is over already")
        self._windows[window_id] = msgspec.structs.replace(window, ended_at=at, ended_by=who)
        return self._windows[window_id]

    async def windows(self, *, ends_after: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Window]:
        self._asked()
        key = paging.decode(cursor, int)
        rows: Iterable[Window] = (row for number, row in sorted(self._windows.items(), reverse=True) if _before(number, key))
        if ends_after is not None:
            rows = (row for row in rows if row.ends_at > ends_after and (row.ended_at is None or row.ended_at > ends_after))
        return paging.page(list(rows), paging.bounded(limit), lambda row: (row.window_id,))


def _before(number: int, key: paging.Key | None) -> bool:
    return key is None or number < int(key[0])
