"""Rollouts in memory: the fake of `firmware_orchestrator.store.RolloutStore`, which passes the suite of the SQL adapter."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargenet.errors import Conflict, NotFound
from chargenet.model.record import microseconds
from chargenet.storage import paging
from chargenet.stores import Page
from firmware_orchestrator.rollout import FREE, ROLLOUT_ENDS, UNDER_WAY, RolloutState, UpdateState
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout, Told

Key = tuple[str, str]


class MemoryRollouts:
    """Implements `firmware_orchestrator.store.RolloutStore`."""

    def __init__(self) -> None:
        self._rollouts: dict[str, Rollout] = {}
        self._updates: dict[Key, DeviceUpdate] = {}
        self._evidence: dict[str, bytes] = {}
        self._history: list[Entry] = []
        self._notices: dict[int, Told] = {}
        self._position = 0
        self._number = 0

    async def create(self, rollout: Rollout, updates: Sequence[DeviceUpdate], entries: Sequence[Entry] = ()) -> None:
        if rollout.rollout_id in self._rollouts:
            raise Conflict(f"there is a rollout {rollout.rollout_id!r} already")
        self._rollouts[rollout.rollout_id] = rollout
        self._updates.update({(each.rollout_id, each.charge_point_id): each for each in updates})
        self._append(entries)

    async def rollout(self, rollout_id: str) -> Rollout:
        if rollout_id not in self._rollouts:
            raise NotFound("rollout", rollout_id)
        return self._rollouts[rollout_id]

    async def rollouts(self, *, state: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Rollout]:
        limit = paging.bounded(limit)
        rows = sorted(self._rollouts.values(), key=_order, reverse=True)
        key = paging.decode(cursor, int, str)
        kept = [row for row in rows if state in (None, row.state) and (key is None or _order(row) < tuple(key))]
        return paging.page(kept[: limit + 1], limit, _order)

    async def active(self) -> list[Rollout]:
        unended = {row.rollout_id for row in self._updates.values() if _unended(row)}
        rows = [row for row in self._rollouts.values() if row.state is not RolloutState.DRAFT]
        return sorted((row for row in rows if row.state not in ROLLOUT_ENDS or row.rollout_id in unended), key=_order)

    async def updates(self, rollout_id: str) -> list[DeviceUpdate]:
        rows = [row for row in self._updates.values() if row.rollout_id == rollout_id]
        return sorted(rows, key=lambda row: (row.wave, row.charge_point_id))

    async def engaged(self, charge_point_ids: Sequence[str]) -> dict[str, str]:
        wanted = set(charge_point_ids)
        return {
            row.charge_point_id: row.rollout_id
            for row in self._updates.values()
            if row.charge_point_id in wanted and _engages(row, self._rollouts[row.rollout_id].state)
        }

    async def change(self, change: Change) -> None:
        self._check(change)
        for rollout in change.rollouts:
            self._rollouts[rollout.rollout_id] = msgspec.structs.replace(rollout, revision=rollout.revision + 1)
        for row in change.updates:
            self._updates[row.rollout_id, row.charge_point_id] = msgspec.structs.replace(row, revision=row.revision + 1)
        self._evidence.update(change.evidence)
        if change.position is not None:
            self._position = change.position[1]
        self._append(change.entries)
        for notice in change.notices:
            self._number += 1
            self._notices[self._number] = Told(number=self._number, notice=notice)

    async def position(self) -> int:
        return self._position

    async def evidence(self, rollout_id: str) -> bytes | None:
        return self._evidence.get(rollout_id)

    async def history(self, rollout_id: str, *, cursor: str | None = None, limit: int = 100) -> Page[Entry]:
        await self.rollout(rollout_id)
        limit = paging.bounded(limit)
        key = paging.decode(cursor, int)
        rows = [
            row for row in reversed(self._history) if row.rollout_id == rollout_id and (key is None or row.number < int(key[0]))
        ]
        return paging.page(rows[: limit + 1], limit, lambda row: (row.number,))

    async def untold(self, limit: int = 100) -> list[Told]:
        return list(self._notices.values())[:limit]

    async def told(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self._notices.pop(number, None)

    def _check(self, change: Change) -> None:
        changed = [(row.rollout_id, row.revision) for row in change.rollouts]
        for rollout_id, revision in (*change.guards, *changed):
            if rollout_id not in self._rollouts or self._rollouts[rollout_id].revision != revision:
                raise Conflict(f"rollout {rollout_id} has changed meanwhile")
        for row in change.updates:
            stored = self._updates.get((row.rollout_id, row.charge_point_id))
            if stored is None or stored.revision != row.revision:
                raise Conflict(f"the update of {row.charge_point_id} in rollout {row.rollout_id} has changed meanwhile")
        if change.position is not None and change.position[0] != self._position:
            raise Conflict(f"the position of firmware is {self._position}, not {change.position[0]}")

    def _append(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._history.append(msgspec.structs.replace(entry, number=len(self._history) + 1))


def _order(row: Rollout) -> tuple[int, str]:
    return (microseconds(row.created_at), row.rollout_id)


def _unended(row: DeviceUpdate) -> bool:
    watched = row.state in UNDER_WAY or row.state is UpdateState.VERIFIED
    return watched or row.availability in ("closing", "closed", "restoring")


def _engages(row: DeviceUpdate, state: RolloutState) -> bool:
    goes_on = state not in ROLLOUT_ENDS and row.state not in FREE
    return state is not RolloutState.DRAFT and (row.state in UNDER_WAY or goes_on)
