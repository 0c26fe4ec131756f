"""Rollups in memory: the fake of `billing_reports.rollup_store.RollupStore`, which passes the same contract suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from billing_reports.rollup_hours import seconds_of
from billing_reports.rollup_revenue import added
from billing_reports.rollup_state import PointState, Span
from billing_reports.rollup_store import Batch, Rolled
from billing_reports.rollups import HourRevenue, HourRow, HourSeconds, PointSum
from chargenet.errors import StoreUnavailable

_KEYS = {"charge_point_id", "connector", "hour"}
_SECONDS = tuple(name for name in HourSeconds.__struct_fields__ if name not in _KEYS)
_SUMS = tuple(name for name in PointSum.__struct_fields__ if name != "charge_point_id")


class MemoryRollups:
    """Implements `billing_reports.rollup_store.RollupStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._clear()

    def _clear(self) -> None:
        self._position = self._earned = 0
        self._states: dict[str, bytes] = {}
        self._dirty: dict[str, datetime] = {}
        self._rolled: dict[str, datetime] = {}
        self._spans: dict[tuple[str, str, str, datetime], Span] = {}
        self._rows: dict[tuple[datetime, str, str], HourRow] = {}
        self._exported: dict[tuple[datetime, str, str], HourRow] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def position(self) -> int:
        self._asked()
        return self._position

    async def states(self, charge_point_ids: Iterable[str]) -> dict[str, bytes]:
        self._asked()
        return {name: self._states[name] for name in charge_point_ids if name in self._states}

    async def save(self, batch: Batch, after: int, upto: int) -> None:
        self._asked()
        if self._position != after:
            raise StoreUnavailable("sql", f"rollups is at {self._position}, not at {after}: another write came between")
        self._position = upto
        for span in batch.spans:
            self._spans[span.charge_point_id, span.connector, span.layer, span.began_at] = span
        for each in batch.amounts:
            key = (each.hour, each.charge_point_id, each.connector)
            old = self._rows.get(key)
            if old is None:
                self._rows[key] = HourRow(**msgspec.structs.asdict(each))
                continue
            grown = {"energy_wh": old.energy_wh + each.energy_wh, "sessions": old.sessions + each.sessions}
            self._rows[key] = msgspec.structs.replace(old, **grown, revision=old.revision + (old.total_s > 0))
        self._states |= batch.states
        for name, hour in batch.dirty.items():
            self._dirty[name] = min(hour, self._dirty.get(name, hour))

    async def roll(self, upto: datetime, limit: int = 200) -> Rolled:
        self._asked()
        due = [name for name in sorted(self._states) if name and self._is_due(name, upto)][:limit]
        rows = restated = 0
        for name in due:
            start = min(each for each in (self._dirty.pop(name, None), self._rolled.get(name)) if each is not None)
            spans = await self.spans([name], start, upto)
            made = seconds_of(name, msgspec.msgpack.decode(self._states[name], type=PointState), spans, start, upto)
            restated += sum(self._put(each) for each in made)
            rows += len(made)
            self._rolled[name] = upto
        return Rolled(len(due), rows, restated)

    def _is_due(self, name: str, upto: datetime) -> bool:
        rolled, dirty = self._rolled.get(name), self._dirty.get(name)
        if rolled is None:
            return dirty is not None and dirty < upto
        return rolled < upto or (dirty is not None and dirty < rolled)

    def _put(self, each: HourSeconds) -> bool:
        """Whether a complete hour changed."""
        key = (each.hour, each.charge_point_id, each.connector)
        old = self._rows.get(key)
        if old is None:
            self._rows[key] = HourRow(**msgspec.structs.asdict(each))
            return False
        new = msgspec.structs.replace(old, **{name: getattr(each, name) for name in _SECONDS})
        changed = new != old and old.total_s > 0
        self._rows[key] = msgspec.structs.replace(new, revision=old.revision + 1) if changed else new
        return changed

    async def earned_upto(self) -> int:
        self._asked()
        return self._earned

    async def earn(self, earned: Sequence[HourRevenue], after: int, upto: int) -> int:
        self._asked()
        if self._earned != after:
            raise StoreUnavailable("sql", f"rollup_revenue is at {self._earned}, not at {after}: another write came between")
        self._earned, changed = upto, 0
        for each in earned:
            key = (each.hour, each.charge_point_id, each.connector)
            fresh = HourRow(hour=each.hour, charge_point_id=each.charge_point_id, connector=each.connector)
            old = self._rows.get(key, fresh)
            revenue = added(old.revenue, each.revenue)
            if revenue != old.revenue:
                self._rows[key] = msgspec.structs.replace(old, revenue=revenue, revision=old.revision + (old.total_s > 0))
                changed += 1
        return changed

    async def sums(self, start: datetime, end: datetime) -> list[PointSum]:
        self._asked()
        found: dict[str, dict[str, int]] = {}
        for row in self._rows.values():
            if start <= row.hour < end:
                sums = found.setdefault(row.charge_point_id, dict.fromkeys(_SUMS, 0))
                for name in _SUMS:
                    sums[name] += getattr(row, name)
        return [PointSum(charge_point_id=name, **sums) for name, sums in found.items()]

    async def rows(
        self, start: datetime, end: datetime, *, after: tuple[datetime, str, str] | None = None, limit: int = 1000
    ) -> list[HourRow]:
        self._asked()
        keys = sorted(key for key in self._rows if start <= key[0] < end and (after is None or key > after))
        return [self._rows[key] for key in keys[:limit]]

    async def spans(self, charge_point_ids: Sequence[str], start: datetime, end: datetime) -> list[Span]:
        self._asked()
        wanted = set(charge_point_ids)
        found = [
            span
            for span in self._spans.values()
            if span.charge_point_id in wanted and span.began_at < end and (span.ended_at is None or span.ended_at > start)
        ]
        return sorted(found, key=lambda span: (span.charge_point_id, span.began_at))

    async def points(self) -> dict[str, PointState]:
        self._asked()
        return {name: msgspec.msgpack.decode(state, type=PointState) for name, state in self._states.items() if name}

    async def unexported(self, limit: int = 1000) -> list[HourRow]:
        self._asked()
        due = (key for key, row in self._rows.items() if row.total_s and self._exported.get(key) != row)
        return [self._rows[key] for key in sorted(due)[:limit]]

    async def exported(self, rows: Sequence[HourRow]) -> None:
        self._asked()
        self._exported |= {(row.hour, row.charge_point_id, row.connector): row for row in rows}

    async def reset(self) -> None:
        self._asked()
        self._clear()
