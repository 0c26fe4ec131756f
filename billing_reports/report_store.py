"""The port of what reports keep beside the rollups: what people enter, and imported history. Adapters are in storage/."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

import msgspec

from billing_reports.exclusion import Exclusion
from billing_reports.importing import ImportedSession


class PortRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is entered about an EVSE, for uptime and capacity."""

    charge_point_id: str
    evse_id: int
    port_id: str
    """As authorities know it."""
    station_id: str = ""
    rated_w: int | None = None
    commissioned_at: datetime | None = None
    """None: since it was first heard of."""
    decommissioned_at: datetime | None = None
    hours: str = ""
    """Hours of operation, as `opening_hours` reads them; "" is always."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A report that is delivered by itself."""

    schedule_id: str
    kind: str
    """utilization, uptime, sessions or nevi."""
    format: str
    """pdf, html, csv or json."""
    every: str
    """day, week (Monday to Sunday), month or quarter."""
    time_zone: str = "UTC"
    language: str = "en"
    site_id: str | None = None
    receiver: str = ""
    """The label `receiver` of its notice: routes of the relay match it."""
    enabled: bool = True
    created_at: datetime
    created_by: str
    delivered_upto: datetime | None = None


class Revenue(msgspec.Struct, frozen=True):
    """Of one transaction, over its CDRs and credits, before taxes."""

    amount: Decimal
    currency: str


class ReportStore(Protocol):
    """Raises StoreUnavailable when the database does not answer."""

    async def put_sessions(self, rows: Sequence[ImportedSession]) -> int:
        """Create or replace by (source, session id); how many were new."""

    async def sessions(self, start: datetime, end: datetime) -> list[ImportedSession]:
        """Imported sessions that overlap [start, end), in order of their begin."""

    async def first_uses(self) -> dict[tuple[str, str], datetime]:
        """(charge point, connector) → begin of its first imported session."""

    async def drop_sessions(self, source: str) -> int:
        """Forget everything of a source; how many sessions that were."""

    async def put_ports(self, rows: Sequence[PortRow]) -> int:
        """Create or replace; how many were new."""

    async def ports(self) -> list[PortRow]:
        """All of them, by charge point and EVSE."""

    async def add_exclusion(self, exclusion: Exclusion) -> Exclusion:
        """With its id."""

    async def withdraw_exclusion(self, exclusion_id: int, who: str, at: datetime) -> Exclusion:
        """Raises NotFound, and Conflict when it is withdrawn already. It stays, as evidence."""

    async def exclusions(self, start: datetime, end: datetime) -> list[Exclusion]:
        """Those that overlap [start, end), withdrawn ones included, by id."""

    async def put_schedule(self, schedule: Schedule) -> None:
        """Create or replace."""

    async def schedules(self) -> list[Schedule]:
        """By id."""

    async def remove_schedule(self, schedule_id: str) -> Schedule:
        """Raises NotFound."""

    async def delivered(self, schedule_id: str, upto: datetime) -> None:
        """Remember the end of the period that was delivered."""

    async def revenue(self, start: datetime, end: datetime) -> dict[tuple[str, str], Revenue]:
        """(charge point, transaction) → what its CDRs that ended in [start, end) come to."""
