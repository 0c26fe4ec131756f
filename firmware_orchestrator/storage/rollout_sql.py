"""Rollouts in SQL: the adapter of `firmware_orchestrator.store.RolloutStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy.exc
from sqlalchemy import Connection, and_, bindparam, delete, exists, insert, or_, select, tuple_, update

from chargenet.errors import Conflict, NotFound
from chargenet.model.notice import Notice
from chargenet.model.record import instant, microseconds
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.tables import cursors
from chargenet.stores import Page
from firmware_orchestrator.rollout import FREE, ROLLOUT_ENDS, UNDER_WAY, RolloutState
from firmware_orchestrator.rows import Change, DeviceUpdate, Entry, Rollout, Told
from firmware_orchestrator.storage.rollout_tables import CURSOR, device_updates, rollout_history, rollout_notices, rollouts

_r, _u, _h, _n = rollouts.c, device_updates.c, rollout_history.c, rollout_notices.c
_encode = msgspec.json.encode
_MANY = 500
"""Values in one IN (…): SQLite has a limit."""


class SqlRollouts:
    """Implements `firmware_orchestrator.store.RolloutStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, rollout: Rollout, updates: Sequence[DeviceUpdate], entries: Sequence[Entry] = ()) -> None:
        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(rollouts).values(**_rollout_values(rollout)))
            except sqlalchemy.exc.IntegrityError:
                raise Conflict(f"there is a rollout {rollout.rollout_id!r} already") from None
            if updates:
                connection.execute(insert(device_updates), [_update_values(each) for each in updates])
            _append(connection, entries)

        await self._database.write(work)

    async def rollout(self, rollout_id: str) -> Rollout:
        query = select(_r.row).where(_r.rollout_id == rollout_id)
        row = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        if row is None:
            raise NotFound("rollout", rollout_id)
        return msgspec.json.decode(row, type=Rollout)

    async def rollouts(self, *, state: str | None = None, cursor: str | None = None, limit: int = 100) -> Page[Rollout]:
        limit = paging.bounded(limit)
        query = select(_r.row).order_by(_r.created_at.desc(), _r.rollout_id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(_r.state == state)
        if (key := paging.decode(cursor, int, str)) is not None:
            at = bindparam("at", instant(int(key[0])), _r.created_at.type)
            query = query.where(tuple_(_r.created_at, _r.rollout_id) < tuple_(at, key[1]))
        rows = await self._read(query, Rollout)
        return paging.page(rows, limit, lambda row: (microseconds(row.created_at), row.rollout_id))

    async def active(self) -> list[Rollout]:
        """Ended ones stay while a charge point of theirs has something to end."""
        open_states = [state for state in RolloutState if state not in ROLLOUT_ENDS and state is not RolloutState.DRAFT]
        unended = and_(
            _u.rollout_id == _r.rollout_id,
            or_(_u.state.in_(sorted({*UNDER_WAY, "verified"})), _u.availability.in_(("closing", "closed", "restoring"))),
        )
        leftover = and_(_r.state.in_(sorted(ROLLOUT_ENDS)), exists().where(unended))
        query = select(_r.row).where(or_(_r.state.in_(open_states), leftover)).order_by(_r.created_at, _r.rollout_id)
        return await self._read(query, Rollout)

    async def updates(self, rollout_id: str) -> list[DeviceUpdate]:
        query = select(_u.row).where(_u.rollout_id == rollout_id).order_by(_u.wave, _u.charge_point_id)
        return await self._read(query, DeviceUpdate)

    async def engaged(self, charge_point_ids: Sequence[str]) -> dict[str, str]:
        goes_on = and_(_r.state.notin_(sorted(ROLLOUT_ENDS)), _u.state.notin_(sorted(FREE)))

        def work(connection: Connection) -> dict[str, str]:
            found: dict[str, str] = {}
            for start in range(0, len(charge_point_ids), _MANY):
                query = (
                    select(_u.charge_point_id, _u.rollout_id)
                    .join(rollouts, _r.rollout_id == _u.rollout_id)
                    .where(_u.charge_point_id.in_(charge_point_ids[start : start + _MANY]))
                    .where(_r.state != "draft", or_(_u.state.in_(sorted(UNDER_WAY)), goes_on))
                )
                found.update(tuple(row) for row in connection.execute(query))
            return found

        return await self._database.read(work)

    async def change(self, change: Change) -> None:
        if not change.empty:
            await self._database.write(lambda connection: _apply(connection, change))

    async def position(self) -> int:
        query = select(cursors.c.sequence).where(cursors.c.name == CURSOR)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    async def evidence(self, rollout_id: str) -> bytes | None:
        query = select(_r.evidence).where(_r.rollout_id == rollout_id)
        found = await self._database.read(lambda connection: connection.execute(query).scalar_one_or_none())
        return None if found is None else bytes(found)

    async def history(self, rollout_id: str, *, cursor: str | None = None, limit: int = 100) -> Page[Entry]:
        await self.rollout(rollout_id)
        limit = paging.bounded(limit)
        query = select(_h.number, _h.row).where(_h.rollout_id == rollout_id).order_by(_h.number.desc()).limit(limit + 1)
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(_h.number < key[0])
        found = await self._database.read(lambda connection: connection.execute(query).all())
        rows = [msgspec.structs.replace(msgspec.json.decode(row, type=Entry), number=number) for number, row in found]
        return paging.page(rows, limit, lambda row: (row.number,))

    async def untold(self, limit: int = 100) -> list[Told]:
        query = select(_n.number, _n.row).order_by(_n.number).limit(limit)
        found = await self._database.read(lambda connection: connection.execute(query).all())
        return [Told(number=number, notice=msgspec.json.decode(row, type=Notice)) for number, row in found]

    async def told(self, numbers: Sequence[int]) -> None:
        if numbers:
            await self._database.write(
                lambda connection: connection.execute(delete(rollout_notices).where(_n.number.in_(list(numbers))))
            )

    async def _read(self, query: Any, kind: type[Any]) -> list[Any]:
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [msgspec.json.decode(row, type=kind) for row in rows]


def _rollout_values(rollout: Rollout) -> dict[str, Any]:
    return {
        "rollout_id": rollout.rollout_id,
        "state": str(rollout.state),
        "created_at": rollout.created_at,
        "revision": rollout.revision,
        "row": _encode(rollout).decode(),
    }


def _update_values(row: DeviceUpdate) -> dict[str, Any]:
    return {
        "rollout_id": row.rollout_id,
        "charge_point_id": row.charge_point_id,
        "wave": row.wave,
        "state": str(row.state),
        "availability": row.availability,
        "revision": row.revision,
        "row": _encode(row).decode(),
    }


def _apply(connection: Connection, change: Change) -> None:
    for rollout_id, revision in change.guards:
        query = select(_r.revision).where(_r.rollout_id == rollout_id).with_for_update()
        if connection.execute(query).scalar_one_or_none() != revision:
            raise Conflict(f"rollout {rollout_id} has changed meanwhile")
    for rollout in change.rollouts:
        values = _rollout_values(msgspec.structs.replace(rollout, revision=rollout.revision + 1))
        here = update(rollouts).where(_r.rollout_id == rollout.rollout_id, _r.revision == rollout.revision)
        if connection.execute(here.values(**values)).rowcount != 1:
            raise Conflict(f"rollout {rollout.rollout_id} has changed meanwhile")
    for row in change.updates:
        values = _update_values(msgspec.structs.replace(row, revision=row.revision + 1))
        one = and_(_u.rollout_id == row.rollout_id, _u.charge_point_id == row.charge_point_id, _u.revision == row.revision)
        if connection.execute(update(device_updates).where(one).values(**values)).rowcount != 1:
            raise Conflict(f"the update of {row.charge_point_id} in rollout {row.rollout_id} has changed meanwhile")
    for rollout_id, state in change.evidence.items():
        connection.execute(update(rollouts).where(_r.rollout_id == rollout_id).values(evidence=state))
    if change.position is not None:
        _move(connection, *change.position)
    _append(connection, change.entries)
    if change.notices:
        connection.execute(insert(rollout_notices), [{"row": _encode(notice).decode()} for notice in change.notices])


def _move(connection: Connection, before: int, after: int) -> None:
    here = update(cursors).where(cursors.c.name == CURSOR, cursors.c.sequence == before).values(sequence=after)
    if connection.execute(here).rowcount == 1:
        return
    known = connection.execute(select(cursors.c.sequence).where(cursors.c.name == CURSOR)).scalar_one_or_none()
    if known is not None or before != 0:
        raise Conflict(f"the position of firmware is {known}, not {before}")
    connection.execute(insert(cursors).values(name=CURSOR, sequence=after))


def _append(connection: Connection, entries: Sequence[Entry]) -> None:
    if entries:
        rows = [{"rollout_id": entry.rollout_id, "row": _encode(entry).decode()} for entry in entries]
        connection.execute(insert(rollout_history), rows)
