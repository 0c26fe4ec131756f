"""Reports in memory: the fake of `billing_reports.report_store.ReportStore`, which passes the same contract suite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from billing_reports.exclusion import Exclusion
from billing_reports.importing import ImportedSession
from billing_reports.report_store import PortRow, Revenue, Schedule
from chargenet.errors import Conflict, NotFound, StoreUnavailable

replace = msgspec.structs.replace


class MemoryReports:
    """Implements `billing_reports.report_store.ReportStore`. `problem` set: every method raises StoreUnavailable with it."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self.revenues: dict[tuple[str, str], Revenue] = {}
        """What `revenue` answers."""
        self._sessions: dict[tuple[str, str], ImportedSession] = {}
        self._ports: dict[tuple[str, int], PortRow] = {}
        self._exclusions: dict[int, Exclusion] = {}
        self._schedules: dict[str, Schedule] = {}

    def _asked(self) -> None:
        if self.problem is not None:
            raise StoreUnavailable("sql", self.problem)

    async def put_sessions(self, rows: Sequence[ImportedSession]) -> int:
        self._asked()
        before = len(self._sessions)
        self._sessions |= {(row.source, row.session_id): row for row in rows}
        return len(self._sessions) - before

    async def sessions(self, start: datetime, end: datetime) -> list[ImportedSession]:
        self._asked()
        found = [row for row in self._sessions.values() if row.began_at < end and row.ended_at > start]
        return sorted(found, key=lambda row: (row.began_at, row.source, row.session_id))

    async def first_uses(self) -> dict[tuple[str, str], datetime]:
        self._asked()
        found: dict[tuple[str, str], datetime] = {}
        for row in self._sessions.values():
            key = (row.charge_point_id, row.connector)
            found[key] = min(row.began_at, found.get(key, row.began_at))
        return found

    async def drop_sessions(self, source: str) -> int:
        self._asked()
        gone = [key for key in self._sessions if key[0] == source]
        for key in gone:
            del self._sessions[key]
        return len(gone)

    async def put_ports(self, rows: Sequence[PortRow]) -> int:
        self._asked()
        before = len(self._ports)
        self._ports |= {(row.charge_point_id, row.evse_id): row for row in rows}
        return len(self._ports) - before

    async def ports(self) -> list[PortRow]:
        self._asked()
        return [self._ports[key] for key in sorted(self._ports)]

    async def add_exclusion(self, exclusion: Exclusion) -> Exclusion:
        self._asked()
        number = len(self._exclusions) + 1
        self._exclusions[number] = replace(exclusion, exclusion_id=number)
        return self._exclusions[number]

    async def withdraw_exclusion(self, exclusion_id: int, who: str, at: datetime) -> Exclusion:
        self._asked()
        found = self._exclusions.get(exclusion_id)
        if found is None:
            raise NotFound("exclusion", str(exclusion_id))
        if found.withdrawn_at is not None:
            raise Conflict(f"exclusion {exclusion_id} is withdrawn already")
        self._exclusions[exclusion_id] = replace(found, withdrawn_at=at, withdrawn_by=who)
        return self._exclusions[exclusion_id]

    async def exclusions(self, start: datetime, end: datetime) -> list[Exclusion]:
        self._asked()
        return [row for _, row in sorted(self._exclusions.items()) if row.began_at < end and row.ended_at > start]

    async def put_schedule(self, schedule: Schedule) -> None:
        self._asked()
        self._schedules[schedule.schedule_id] = schedule

    async def schedules(self) -> list[Schedule]:
        self._asked()
        return [self._schedules[name] for name in sorted(self._schedules)]

    async def remove_schedule(self, schedule_id: str) -> Schedule:
        self._asked()
        if schedule_id not in self._schedules:
            raise NotFound("schedule", schedule_id)
        return self._schedules.pop(schedule_id)

    async def delivered(self, schedule_id: str, upto: datetime) -> None:
        self._asked()
        if schedule_id in self._schedules:
            self._schedules[schedule_id] = replace(self._schedules[schedule_id], delivered_upto=upto)

    async def revenue(self, start: datetime, end: datetime) -> dict[tuple[str, str], Revenue]:
        self._asked()
        return dict(self.revenues)
