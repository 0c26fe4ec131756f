"""Scheduled reports. Decided here: which period is due, and that each is told once: the notice carries the file.

A report is made, written to a folder, and given to `ports.Notices`; only then is its period remembered as delivered. Killed between
the two, the same notice (same key) is told again, which the relay knows as the same thing.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from billing_reports.formats import FORMATS, Report, report_file
from billing_reports.nevi import last_quarter
from billing_reports.report_desk import ReportDesk
from billing_reports.report_store import Schedule
from billing_reports.uptime import months_between
from chargenet.errors import ChargewatchError, Conflict, NotFound, Unavailable
from chargenet.model.notice import Attachment, Notice, Severity
from chargenet.ports import Clock, Notices

log = logging.getLogger(__name__)

LOOK_S = 60.0
DELIVERED = "/api/v1/reports/delivered"
"""Where the file of a notice is fetched, by whoever cannot take it along."""
KEEP = timedelta(days=60)
"""Files are kept for this long: deliveries are retried for days."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Due(msgspec.Struct, frozen=True):
    """A period that is over: local days `first` to `last`, and the instant at which it ended."""

    first: date
    last: date
    ended_at: datetime


def last_period(every: str, time_zone: str, now: datetime) -> Due:
    """The last whole day, week (Monday to Sunday), month or quarter before `now`, in local days."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    if every == "day":
        after, first = today, today - timedelta(days=1)
    elif every == "week":
        after = today - timedelta(days=today.weekday())
        first = after - timedelta(days=7)
    elif every == "quarter":
        first, last = last_quarter(today)
        after = last + timedelta(days=1)
    else:
        after = today.replace(day=1)
        first = (after - timedelta(days=1)).replace(day=1)
    return Due(first, after - timedelta(days=1), datetime(after.year, after.month, after.day, tzinfo=zone))


def due(schedule: Schedule, now: datetime) -> Due | None:
    """What is to be delivered now: the last whole period that ended after the schedule was made and was not delivered yet."""
    found = last_period(schedule.every, schedule.time_zone, now)
    since = schedule.created_at if schedule.delivered_upto is None else schedule.delivered_upto
    return found if schedule.enabled and found.ended_at > since else None


class Delivery:
    """One per process. `notices` None: nobody can be told, and schedules wait. `url`: of the platform, for the link."""

    def __init__(
        self, desk: ReportDesk, notices: Notices | None, clock: Clock, folder: Path, speak: Callable[[str], str] = str
    ) -> None:
        self._desk, self._notices, self._clock, self._folder, self._site_name = desk, notices, clock, folder, speak
        self.problem: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        wake = asyncio.Event()
        scheduler = AsyncIOScheduler(timezone="UTC", event_loop=asyncio.get_running_loop())
        scheduler.add_job(wake.set, "interval", seconds=LOOK_S, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        try:
            while True:
                await self._looked()
                await wake.wait()
                wake.clear()
        finally:
            scheduler.shutdown(wait=False)

    async def _looked(self) -> None:
        try:
            await self.look()
            self.problem = None
        except Unavailable as error:
            self.problem = str(error)
            log.warning("scheduled reports wait: %s", error)

    async def look(self) -> int:
        """Deliver what is due; how many that were. One that cannot be made does not keep the others back."""
        if self._notices is None:
            return 0
        delivered = 0
        await asyncio.to_thread(self._tidy, self._clock.now() - KEEP)
        for schedule in await self._desk.store.schedules():
            period = due(schedule, self._clock.now())
            if period is None:
                continue
            try:
                await self._deliver(schedule, period)
                delivered += 1
            except Unavailable:
                raise
            except ChargewatchError as error:
                log.warning("report %s of %s cannot be made: %s", schedule.schedule_id, period.last, error)
        return delivered

    async def deliver_now(self, schedule_id: str) -> Schedule:
        """The last whole period, again or early. Raises NotFound, and Conflict where nobody can be told."""
        found = next((each for each in await self._desk.store.schedules() if each.schedule_id == schedule_id), None)
        if found is None:
            raise NotFound("schedule", schedule_id)
        if self._notices is None:
            raise Conflict("nobody can be told: this platform has no relay")
        period = last_period(found.every, found.time_zone, self._clock.now())
        await self._deliver(found, period)
        return msgspec.structs.replace(found, delivered_upto=period.ended_at)

    async def _deliver(self, schedule: Schedule, period: Due) -> None:
        assert self._notices is not None
        report = await self.report(schedule, period)
        now = self._clock.now()
        name = self._site_name(schedule.site_id or "")
        body = await asyncio.to_thread(report_file, report, schedule.format, now, schedule.language, name)
        path = await asyncio.to_thread(self._write, schedule, period, body)
        await self._notices.tell([_notice(schedule, period, path, now)])
        await self._desk.store.delivered(schedule.schedule_id, period.ended_at)

    async def report(self, schedule: Schedule, period: Due) -> Report:
        """The report of a schedule for a period."""
        zone = ZoneInfo(schedule.time_zone)
        start = datetime(period.first.year, period.first.month, period.first.day, tzinfo=zone)
        if schedule.kind == "nevi":
            return await self._desk.nevi(period.first, period.last, schedule.time_zone, schedule.site_id)
        if schedule.kind == "uptime":
            months = months_between(period.first, period.last) if schedule.every == "quarter" else [period.last.replace(day=1)]
            return await self._desk.uptime(months, schedule.time_zone, schedule.site_id)
        make = self._desk.utilization if schedule.kind == "utilization" else self._desk.quality
        made: Report = await make(start, period.ended_at, schedule.time_zone, schedule.site_id)
        return made

    def _write(self, schedule: Schedule, period: Due, body: bytes) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        safe = _UNSAFE.sub("_", schedule.schedule_id)[:80]
        path = self._folder / f"{safe}-{schedule.kind}-{period.first}-{period.last}.{schedule.format}"
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_bytes(body)
        partial.chmod(0o600)
        partial.replace(path)
        return path

    def file(self, name: str) -> bytes:
        """One that was delivered. Blocks. NotFound for any other, and for one that is not kept any more."""
        path = self._folder / name
        known = _UNSAFE.search(name) is None and path.suffix[1:] in FORMATS
        if not known or path.parent != self._folder or not path.is_file():
            raise NotFound("report", name)
        return path.read_bytes()

    def _tidy(self, before: datetime) -> None:
        if not self._folder.is_dir():
            return
        for path in self._folder.iterdir():
            if path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink(missing_ok=True)


def _notice(schedule: Schedule, period: Due, path: Path, now: datetime) -> Notice:
    span = f"{period.first} to {period.last}"
    labels = {"report": schedule.kind, "schedule": schedule.schedule_id}
    labels |= {name: value for name, value in (("receiver", schedule.receiver), ("site", schedule.site_id or "")) if value}
    return Notice(
        key=f"report-{schedule.schedule_id}-{period.first}-{period.last}",
        source="billing",
        kind="ReportReady",
        severity=Severity.INFO,
        title=f"{schedule.kind.capitalize()} report, {span}",
        text=f"The {schedule.kind} report from {span} ({schedule.time_zone}) is attached. It comes every {schedule.every}.",
        labels=labels,
        attachments=(Attachment(path.name, FORMATS[schedule.format].partition(";")[0], str(path)),),
        details={
            "first_day": str(period.first),
            "last_day": str(period.last),
            "format": schedule.format,
            "download": f"{DELIVERED}/{path.name}",
        },
        began_at=now,
        resolved_at=now,
    )
