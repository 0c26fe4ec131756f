"""Tariffs, assignments, price series and plans in memory: the fake of `billing_reports.store.TariffStore`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from billing_reports.plans import Plan
from billing_reports.series import PriceInterval, PriceSeries
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import Assignment, TariffVersion
from chargenet.errors import Conflict, NotFound, StoreUnavailable

replace = msgspec.structs.replace


class MemoryTariffs:
    """Implements `billing_reports.store.TariffStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._versions: dict[tuple[str, int], TariffVersion] = {}
        self._assignments: dict[str, Assignment] = {}
        self._series: dict[str, PriceSeries] = {}
        self._plans: dict[str, Plan] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def versions(self) -> list[TariffVersion]:
        self._asked()
        return [self._versions[key] for key in sorted(self._versions)]

    async def add(self, tariff: Tariff, now: datetime, effective_from: datetime | None) -> TariffVersion:
        self._asked()
        last = max((version for name, version in self._versions if name == tariff.id), default=0)
        since = effective_from if last == 0 or effective_from is not None else now
        made = TariffVersion(tariff=tariff, version=last + 1, effective_from=since, added_at=now)
        self._versions[tariff.id, made.version] = made
        return made

    async def remove(self, tariff_id: str, at: datetime) -> None:
        self._asked()
        here = [key for key, each in self._versions.items() if key[0] == tariff_id and each.removed_at is None]
        if not here:
            raise NotFound("tariff", tariff_id)
        self._versions |= {key: replace(self._versions[key], removed_at=at) for key in here}

    async def assignments(self) -> list[Assignment]:
        self._asked()
        return [self._assignments[key] for key in sorted(self._assignments)]

    async def assign(self, assignment: Assignment) -> None:
        self._asked()
        if all(name != assignment.tariff_id for name, _ in self._versions):
            raise NotFound("tariff", assignment.tariff_id)
        self._assignments[assignment.key] = assignment

    async def unassign(self, key: str) -> None:
        self._asked()
        if self._assignments.pop(key, None) is None:
            raise NotFound("assignment", key)

    async def put_series(self, series: PriceSeries) -> int:
        self._asked()
        old = self._series.get(series.name)
        if old is not None and old.currency != series.currency and series.intervals:
            raise Conflict(f"the price series {series.name} is in {old.currency}, not in {series.currency}")
        if series.intervals:
            kept = [each for each in old.intervals if not _overlaps(each, series.intervals)] if old is not None else []
            joined = tuple(sorted([*kept, *series.intervals], key=lambda each: each.start_at))
            self._series[series.name] = PriceSeries(series.name, series.currency, joined)
        return len(series.intervals)

    async def series(self, names: Iterable[str], start: datetime, end: datetime) -> dict[str, PriceSeries]:
        self._asked()
        found: dict[str, PriceSeries] = {}
        for name in sorted(set(names) & set(self._series)):
            whole = self._series[name]
            within = tuple(each for each in whole.intervals if each.start_at < end and each.end_at > start)
            if within:
                found[name] = PriceSeries(name, whole.currency, within)
        return found

    async def series_known(self) -> list[tuple[str, str, datetime, datetime, int]]:
        self._asked()
        return [
            (name, each.currency, each.intervals[0].start_at, each.intervals[-1].end_at, len(each.intervals))
            for name, each in sorted(self._series.items())
        ]

    async def plans(self) -> dict[str, Plan]:
        self._asked()
        return {name: self._plans[name] for name in sorted(self._plans)}

    async def put_plan(self, plan: Plan) -> None:
        self._asked()
        self._plans[plan.id] = plan


def _overlaps(interval: PriceInterval, others: Iterable[PriceInterval]) -> bool:
    return any(interval.start_at < each.end_at and interval.end_at > each.start_at for each in others)
