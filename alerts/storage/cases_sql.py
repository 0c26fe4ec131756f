"""Cases in SQL: the adapter of `alerts.store.CaseStore`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, or_, select

from alerts.case import NEWS, Case, Change, State
from alerts.finding import Evidence
from alerts.maintenance import Window
from alerts.storage import cases_tables as t
from alerts.store import Checkpoint, PastChange, Piece
from chargenet.errors import Conflict, NotFound
from chargenet.storage import paging
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import advance, chunks, plain, position, upsert, values
from chargenet.storage.tables import cursors
from chargenet.stores import MAX_LIMIT, Page

CURSOR = "alerts"
_evidence = msgspec.json.Decoder(tuple[Evidence, ...])


class SqlCases:
    """Implements `alerts.store.CaseStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def position(self) -> int:
        return await self._database.read(lambda connection: position(connection, CURSOR))

    async def pieces(self, after: str, limit: int) -> list[Piece]:
        table = t.alert_pieces
        query = select(table).where(table.c.name > after).order_by(table.c.name).limit(limit)
        return await self._database.read(lambda connection: values(Piece, connection.execute(query).mappings()))

    async def checkpoint(self, checkpoint: Checkpoint) -> None:
        def work(connection: Connection) -> None:
            kept = [plain(piece) for piece in checkpoint.pieces if piece.state is not None]
            gone = [piece.name for piece in checkpoint.pieces if piece.state is None]
            advance(connection, CURSOR, checkpoint.after, checkpoint.upto)
            upsert(connection, t.alert_pieces, kept)
            for names in chunks(gone):
                connection.execute(delete(t.alert_pieces).where(t.alert_pieces.c.name.in_(names)))

        await self._database.write(work)

    async def restart(self, position: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(delete(t.alert_pieces))
            upsert(connection, cursors, [{"name": CURSOR, "sequence": position}])

        await self._database.write(work)

    async def save(self, changes: Sequence[Change], at: datetime) -> None:
        def work(connection: Connection) -> None:
            lines = [_line(change, at) for change in changes if NEWS[change.what]]
            upsert(connection, t.cases, [_row(change.case) for change in changes])
            if lines:
                connection.execute(insert(t.case_changes), lines)

        if changes:
            await self._database.write(work)

    async def mark_told(self, told: dict[int, int]) -> None:
        statement = t.cases.update().where(t.cases.c.case_id == bindparam("case")).values(told=bindparam("revision_told"))
        rows: list[dict[str, Any]] = [{"case": case_id, "revision_told": revision} for case_id, revision in told.items()]
        if rows:
            await self._database.write(lambda connection: connection.execute(statement, rows))

    async def current(self, resolved_since: datetime) -> list[Case]:
        c = t.cases.c
        untold = (c.told > 0) & (c.told < c.revision)
        query = select(t.cases).where(or_(c.state != State.RESOLVED, c.resolved_at >= resolved_since, untold)).order_by(c.case_id)
        return await self._database.read(lambda connection: [_case(row) for row in connection.execute(query).mappings()])

    async def next_id(self) -> int:
        query = select(func.max(t.cases.c.case_id))
        return (await self._database.read(lambda connection: connection.execute(query).scalar()) or 0) + 1

    async def case(self, case_id: int) -> Case | None:
        query = select(t.cases).where(t.cases.c.case_id == case_id)
        row = await self._database.read(lambda connection: connection.execute(query).mappings().one_or_none())
        return None if row is None else _case(row)

    async def history(self, case_id: int) -> list[PastChange]:
        table = t.case_changes
        query = select(table).where(table.c.case_id == case_id).order_by(table.c.change_id).limit(MAX_LIMIT)
        return await self._database.read(lambda connection: values(PastChange, connection.execute(query).mappings()))

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
        limit, c = paging.bounded(limit), t.cases.c
        query = select(t.cases).order_by(c.case_id.desc()).limit(limit + 1)
        if is_open is not None:
            query = query.where(c.state != State.RESOLVED if is_open else c.state == State.RESOLVED)
        equal = {c.kind: kind, c.severity: severity, c.site_id: site_id, c.charge_point_id: charge_point_id}
        for column, wanted in equal.items():
            if wanted is not None:
                query = query.where(column == wanted)
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(c.case_id < key[0])
        rows = await self._database.read(lambda connection: [_case(row) for row in connection.execute(query).mappings()])
        return paging.page(rows, limit, lambda row: (row.case_id,))

    async def add_window(self, window: Window) -> Window:
        row = plain(window)
        del row["window_id"]

        def work(connection: Connection) -> Window:
            [key] = connection.execute(insert(t.maintenance_windows).values(**row)).inserted_primary_key or (0,)
            return msgspec.structs.replace(window, window_id=int(key))

        return await self._database.write(work)

    async def end_window(self, window_id: int, who: str, at: datetime) -> Window:
        table = t.maintenance_windows

        def work(connection: Connection) -> Window:
            one = table.c.window_id == window_id
            row = connection.execute(select(table).where(one).with_for_update()).mappings().one_or_none()
            if row is None:
                raise NotFound("maintenance window", str(window_id))
            window = Window(**row)
            if window.ended_at is not None or window.ends_at <= at:
                raise Conflict(f"maintenance window {window_id} is over already")
            connection.execute(table.update().where(one).values(ended_at=at, ended_by=who))
            return msgspec.structs.replace(window, ended_at=at, ended_by=who)

        return await self._database.write(work)

    async def windows(self, *, ends_after: datetime | None = None, cursor: str | None = None, limit: int = 100) -> Page[Window]:
        limit, table = paging.bounded(limit), t.maintenance_windows
        query = select(table).order_by(table.c.window_id.desc()).limit(limit + 1)
        if ends_after is not None:
            query = query.where(table.c.ends_at > ends_after, or_(table.c.ended_at.is_(None), table.c.ended_at > ends_after))
        if (key := paging.decode(cursor, int)) is not None:
            query = query.where(table.c.window_id < key[0])
        rows = await self._database.read(lambda connection: values(Window, connection.execute(query).mappings()))
        return paging.page(rows, limit, lambda row: (row.window_id,))


def _row(case: Case) -> dict[str, Any]:
    row = plain(case)
    row["evidence"] = msgspec.json.encode(case.evidence).decode()
    return row


def _case(row: RowMapping) -> Case:
    fields = dict(row)
    fields["evidence"] = _evidence.decode(fields["evidence"])
    return Case(**fields)


def _line(change: Change, at: datetime) -> dict[str, Any]:
    case = change.case
    line = PastChange(
        change_id=0, case_id=case.case_id, at=at, what=change.what, why=change.why, who=change.who, state=case.state,
        severity=case.severity,
    )  # fmt: skip
    row = plain(line)
    del row["change_id"]
    return row
