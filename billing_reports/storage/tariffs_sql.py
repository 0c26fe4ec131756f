"""Tariffs, assignments, price series and plans in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from billing_reports.plans import Plan
from billing_reports.series import PriceInterval, PriceSeries
from billing_reports.storage.tables import plans, price_intervals, tariff_assignments, tariffs
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, TariffVersion
from chargenet.errors import Conflict, NotFound
from chargenet.storage.relational_engine import Database
from chargenet.storage.relational_rows import upsert

_t, _a, _p = tariffs.c, tariff_assignments.c, price_intervals.c


class SqlTariffs:
    """Implements `billing_reports.store.TariffStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def versions(self) -> list[TariffVersion]:
        query = select(_t.row, _t.removed_at).order_by(_t.tariff_id, _t.version)

        def work(connection: Connection) -> list[TariffVersion]:
            found = connection.execute(query).all()
            return [msgspec.structs.replace(msgspec.json.decode(row, type=TariffVersion), removed_at=at) for row, at in found]

        return await self._database.read(work)

    async def add(self, tariff: Tariff, now: datetime, effective_from: datetime | None) -> TariffVersion:
        def work(connection: Connection) -> TariffVersion:
            last = connection.execute(select(func.max(_t.version)).where(_t.tariff_id == tariff.id)).scalar() or 0
            since = effective_from if last == 0 or effective_from is not None else now
            made = TariffVersion(tariff=tariff, version=last + 1, effective_from=since, added_at=now)
            row = msgspec.json.encode(made).decode()
            connection.execute(insert(tariffs).values(tariff_id=tariff.id, version=made.version, row=row))
            return made

        return await self._database.write(work)

    async def remove(self, tariff_id: str, at: datetime) -> None:
        here = (_t.tariff_id == tariff_id, _t.removed_at.is_(None))

        def work(connection: Connection) -> None:
            if connection.execute(update(tariffs).where(*here).values(removed_at=at)).rowcount == 0:
                raise NotFound("tariff", tariff_id)

        await self._database.write(work)

    async def assignments(self) -> list[Assignment]:
        query = select(_a.row).order_by(_a.key)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        return [msgspec.json.decode(row, type=Assignment) for row in rows]

    async def assign(self, assignment: Assignment) -> None:
        row = msgspec.json.encode(assignment).decode()

        def work(connection: Connection) -> None:
            known = select(func.count()).where(_t.tariff_id == assignment.tariff_id)
            if not connection.execute(known).scalar():
                raise NotFound("tariff", assignment.tariff_id)
            upsert(connection, tariff_assignments, [{"key": assignment.key, "tariff_id": assignment.tariff_id, "row": row}])

        await self._database.write(work)

    async def unassign(self, key: str) -> None:
        def work(connection: Connection) -> None:
            if connection.execute(delete(tariff_assignments).where(_a.key == key)).rowcount == 0:
                raise NotFound("assignment", key)

        await self._database.write(work)

    async def put_series(self, series: PriceSeries) -> int:
        rows = [
            {"series": series.name, "start_at": each.start_at, "end_at": each.end_at, "currency": series.currency,
             "price": str(each.price)}
            for each in series.intervals
        ]  # fmt: skip

        def work(connection: Connection) -> int:
            other = select(_p.currency).where(_p.series == series.name, _p.currency != series.currency).limit(1)
            if (currency := connection.execute(other).scalar_one_or_none()) is not None:
                raise Conflict(f"the price series {series.name} is in {currency}, not in {series.currency}")
            for each in series.intervals:
                overlap = (_p.series == series.name, _p.start_at < each.end_at, _p.end_at > each.start_at)
                connection.execute(delete(price_intervals).where(*overlap))
            connection.execute(insert(price_intervals), rows)
            return len(rows)

        return await self._database.write(work) if rows else 0

    async def series(self, names: Iterable[str], start: datetime, end: datetime) -> dict[str, PriceSeries]:
        query = (
            select(price_intervals)
            .where(_p.series.in_(sorted(names)), _p.start_at < end, _p.end_at > start)
            .order_by(_p.series, _p.start_at)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        found: dict[str, list[PriceInterval]] = {}
        currencies: dict[str, str] = {}
        for row in rows:
            found.setdefault(row["series"], []).append(PriceInterval(row["start_at"], row["end_at"], Decimal(row["price"])))
            currencies[row["series"]] = row["currency"]
        return {name: PriceSeries(name, currencies[name], tuple(each)) for name, each in found.items()}

    async def series_known(self) -> list[tuple[str, str, datetime, datetime, int]]:
        query = (
            select(_p.series, _p.currency, func.min(_p.start_at), func.max(_p.end_at), func.count())
            .group_by(_p.series, _p.currency)
            .order_by(_p.series)
        )
        return await self._database.read(lambda connection: [tuple(row) for row in connection.execute(query)])

    async def plans(self) -> dict[str, Plan]:
        query = select(plans.c.row).order_by(plans.c.plan_id)
        rows = await self._database.read(lambda connection: connection.execute(query).scalars().all())
        found = [msgspec.json.decode(row, type=Plan) for row in rows]
        return {each.id: each for each in found}

    async def put_plan(self, plan: Plan) -> None:
        row = msgspec.json.encode(plan).decode()
        await self._database.write(lambda connection: upsert(connection, plans, [{"plan_id": plan.id, "row": row}]))
