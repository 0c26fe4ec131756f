"""Reports in SQL: the adapter of `billing_reports.report_store.ReportStore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from billing_reports.exclusion import Exclusion, Reason
from billing_reports.importing import ImportedSession
from billing_reports.report_store import PortRow, Revenue, Schedule
from billing_reports.storage import report_tables as t
from billing_reports.storage.tables import cdrs
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import chunks, plain, upsert, values

_PAGE = 10_000


class SqlReports:
    """Implements `billing_reports.report_store.ReportStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put_sessions(self, rows: Sequence[ImportedSession]) -> int:
        table = t.imported_sessions
        keyed = {(row.source, row.session_id): row for row in rows}

        def work(connection: Connection) -> int:
            before = _count(connection, keyed)
            upsert(connection, table, [_session_row(row) for row in keyed.values()])
            return len(keyed) - before

        return await self._database.write(work)

    async def sessions(self, start: datetime, end: datetime) -> list[ImportedSession]:
        c = t.imported_sessions.c
        found: list[ImportedSession] = []
        order = (c.began_at, c.source, c.session_id)
        query = select(t.imported_sessions).where(c.began_at < end, c.ended_at > start).order_by(*order)
        while True:
            page = query.limit(_PAGE).offset(len(found))
            rows = await self._database.read(
                lambda connection, page=page: [_session(row) for row in connection.execute(page).mappings()]  # type: ignore[misc]
            )
            found += rows
            if len(rows) < _PAGE:
                return found

    async def first_uses(self) -> dict[tuple[str, str], datetime]:
        c = t.imported_sessions.c
        query = select(c.charge_point_id, c.connector, func.min(c.began_at)).group_by(c.charge_point_id, c.connector)
        return await self._database.read(lambda connection: {(row[0], row[1]): row[2] for row in connection.execute(query)})

    async def drop_sessions(self, source: str) -> int:
        table = t.imported_sessions
        statement = delete(table).where(table.c.source == source)
        return await self._database.write(lambda connection: int(connection.execute(statement).rowcount))

    async def put_ports(self, rows: Sequence[PortRow]) -> int:
        table = t.report_ports

        def work(connection: Connection) -> int:
            count = select(func.count()).select_from(table)
            before = int(connection.execute(count).scalar_one())
            upsert(connection, table, [plain(row) for row in rows])
            return int(connection.execute(count).scalar_one()) - before

        return await self._database.write(work)

    async def ports(self) -> list[PortRow]:
        query = select(t.report_ports).order_by(t.report_ports.c.charge_point_id, t.report_ports.c.evse_id)
        return await self._database.read(lambda connection: values(PortRow, connection.execute(query).mappings()))

    async def add_exclusion(self, exclusion: Exclusion) -> Exclusion:
        row = plain(exclusion)
        del row["exclusion_id"]

        def work(connection: Connection) -> Exclusion:
            [key] = connection.execute(insert(t.uptime_exclusions).values(**row)).inserted_primary_key or (0,)
            return msgspec.structs.replace(exclusion, exclusion_id=int(key))

        return await self._database.write(work)

    async def withdraw_exclusion(self, exclusion_id: int, who: str, at: datetime) -> Exclusion:
        table = t.uptime_exclusions
        one = table.c.exclusion_id == exclusion_id

        def work(connection: Connection) -> Exclusion:
            row = connection.execute(select(table).where(one).with_for_update()).mappings().one_or_none()
            if row is None:
                raise NotFound("exclusion", str(exclusion_id))
            if row["withdrawn_at"] is not None:
                raise Conflict(f"exclusion {exclusion_id} is withdrawn already")
            connection.execute(table.update().where(one).values(withdrawn_at=at, withdrawn_by=who))
            return msgspec.structs.replace(_exclusion(row), withdrawn_at=at, withdrawn_by=who)

        return await self._database.write(work)

    async def exclusions(self, start: datetime, end: datetime) -> list[Exclusion]:
        table = t.uptime_exclusions
        query = select(table).where(table.c.began_at < end, table.c.ended_at > start).order_by(table.c.exclusion_id)
        return await self._database.read(lambda connection: [_exclusion(row) for row in connection.execute(query).mappings()])

    async def put_schedule(self, schedule: Schedule) -> None:
        await self._database.write(lambda connection: upsert(connection, t.report_schedules, [plain(schedule)]))

    async def schedules(self) -> list[Schedule]:
        query = select(t.report_schedules).order_by(t.report_schedules.c.schedule_id)
        return await self._database.read(lambda connection: values(Schedule, connection.execute(query).mappings()))

    async def remove_schedule(self, schedule_id: str) -> Schedule:
        table = t.report_schedules

        def work(connection: Connection) -> Schedule:
            one = table.c.schedule_id == schedule_id
            row = connection.execute(select(table).where(one)).mappings().one_or_none()
            if row is None:
                raise NotFound("schedule", schedule_id)
            connection.execute(delete(table).where(one))
            return Schedule(**row)

        return await self._database.write(work)

    async def delivered(self, schedule_id: str, upto: datetime) -> None:
        table = t.report_schedules
        statement = table.update().where(table.c.schedule_id == schedule_id).values(delivered_upto=upto)
        await self._database.write(lambda connection: connection.execute(statement))

    async def revenue(self, start: datetime, end: datetime) -> dict[tuple[str, str], Revenue]:
        c = cdrs.c
        query = select(c.charge_point_id, c.transaction_id, c.before_taxes, c.currency).where(
            c.ended_at >= start, c.ended_at < end, c.transaction_id.is_not(None), c.charge_point_id.is_not(None), c.home.is_(False)
        )

        def work(connection: Connection) -> dict[tuple[str, str], Revenue]:
            found: dict[tuple[str, str], Revenue] = {}
            for charge_point_id, transaction_id, amount, currency in connection.execute(query):
                key = (charge_point_id, transaction_id)
                before = found[key].amount if key in found else Decimal(0)
                found[key] = Revenue(before + Decimal(amount), currency)
            return found

        return await self._database.read(work)


def _count(connection: Connection, keys: Mapping[tuple[str, str], object]) -> int:
    """How many of them are there already."""
    c = t.imported_sessions.c
    by_source: dict[str, list[str]] = {}
    for source, session_id in keys:
        by_source.setdefault(source, []).append(session_id)
    found = 0
    for source, ids in by_source.items():
        for some in chunks(ids):
            query = select(func.count()).where(c.source == source, c.session_id.in_(some))
            found += int(connection.execute(query).scalar_one())
    return found


def _session_row(row: ImportedSession) -> dict[str, Any]:
    fields = plain(row)
    fields["revenue"] = None if row.revenue is None else str(row.revenue)
    return fields


def _session(row: RowMapping) -> ImportedSession:
    fields = dict(row)
    revenue = fields["revenue"]
    fields["revenue"] = None if revenue is None else Decimal(revenue)
    return ImportedSession(**fields)


def _exclusion(row: RowMapping) -> Exclusion:
    fields = dict(row)
    fields["reason"] = Reason(fields["reason"])
    return Exclusion(**fields)
