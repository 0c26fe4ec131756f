"""Reports over HTTP: utilization, uptime, session quality, authority files, rollups; exclusions, ports, imports, schedules."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.exclusion import Exclusion, Reason, checked
from billing_reports.formats import FORMATS, Report, report_file
from billing_reports.importing import ImportedSession
from billing_reports.nevi import last_quarter, quarter_days
from billing_reports.opening_hours import parse
from billing_reports.report_desk import ReportDesk
from billing_reports.report_store import PortRow, Schedule
from billing_reports.reports_app import Reports
from billing_reports.rollups import HourRow
from billing_reports.uptime import months_between
from chargenet.errors import Conflict, Unavailable
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Name, Text, UsableName, filter_text, json, returns
from chargewatch.api.auth import At, Reader, platform_of
from chargewatch.api.billing_values import BillingManager
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/reports", tags=["reports"])
MOST_ROWS = 2000
_PROVIDER = 100


def reports_of(request: Request) -> Reports:
    """The reports program of the running platform."""
    found: Reports | None = getattr(platform_of(request), "reports", None)
    if found is None:
        raise Unavailable("this platform runs no reports program")
    return found


def desk_of(request: Request) -> ReportDesk:
    """Its desk."""
    return reports_of(request).desk


Desk = Annotated[ReportDesk, Depends(desk_of)]
Program = Annotated[Reports, Depends(reports_of)]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("expected an IANA time zone, for example Europe/Oslo")
    return name


Zone = Annotated[Text, AfterValidator(_zone), Query(description="IANA zone of days, months and printed times.")]
First = Annotated[date, Query(alias="from", description="First local day.", examples=["2026-01-01"])]
Last = Annotated[date, Query(alias="to", description="Last local day, included.", examples=["2026-01-31"])]
Form = Annotated[Literal["json", "csv", "html", "pdf"], Query(alias="format", description="What to make of it.")]
Language = Annotated[Literal["en", "de"], Query(description="Of PDF and HTML.")]
SiteFilter = Annotated[Text | None, filter_text("Only this site.")]


MOST_DAYS = 10 * 366
"""Of one report: what is asked by mistake for all of time holds nobody up."""


def within_reason(first: date, last: date) -> None:
    """Raises Conflict for a period that is too long for one report."""
    if (last - first).days > MOST_DAYS:
        raise Conflict(f"a report is of at most {MOST_DAYS} days, not of {(last - first).days}: ask for parts of it")


def instants(first: date, last: date, time_zone: str) -> tuple[datetime, datetime]:
    """The local days `first` to `last`, both included, as instants. Raises Conflict for too many."""
    within_reason(first, last)
    zone = ZoneInfo(time_zone)
    after = last + timedelta(days=1)
    return datetime(first.year, first.month, first.day, tzinfo=zone), datetime(after.year, after.month, after.day, tzinfo=zone)


_REPORT = returns(Any, "The report; JSON unless another format was asked for.")
_REPORT[200]["content"] |= {kind.partition(";")[0]: {} for kind in FORMATS.values() if kind != "application/json"}


async def answer(report: Report, form: str, at: datetime, language: str, name: str) -> Response:
    """The report in its format, made in a thread."""
    body = await asyncio.to_thread(report_file, report, form, at, language, name)
    return Response(body, media_type=FORMATS[form])


@router.get("/utilization", responses=_REPORT)
async def utilization(
    _: Reader, platform: At, desk: Desk, first: First, last: Last, form: Form = "json", time_zone: Zone = "UTC",
    site: SiteFilter = None, language: Language = "en",
) -> Response:  # fmt: skip
    """How much connectors are used: by network, site, model and connector; peak hours; doubts about the data."""
    report = await desk.utilization(*instants(first, last, time_zone), time_zone, site)
    return await answer(report, form, platform.clock.now(), language, site or "")


@router.get("/uptime", responses=_REPORT)
async def uptime(
    _: Reader, platform: At, desk: Desk, first: First, last: Last, form: Form = "json", time_zone: Zone = "UTC",
    site: SiteFilter = None, language: Language = "en",
) -> Response:  # fmt: skip
    """Uptime of each port in the months that the days lie in, and over the twelve months to their end."""
    within_reason(first, last)
    report = await desk.uptime(months_between(first, max(first, last)), time_zone, site)
    return await answer(report, form, platform.clock.now(), language, site or "")


@router.get("/sessions", responses=_REPORT)
async def sessions(
    _: Reader, platform: At, desk: Desk, first: First, last: Last, form: Form = "json", time_zone: Zone = "UTC",
    site: SiteFilter = None, language: Language = "en",
) -> Response:  # fmt: skip
    """Session quality after ChargeX: charge start, charge end and session success, start time."""
    report = await desk.quality(*instants(first, last, time_zone), time_zone, site)
    return await answer(report, form, platform.clock.now(), language, site or "")


@router.get("/nevi", responses=_REPORT)
async def nevi(
    _: Reader,
    platform: At,
    desk: Desk,
    first: Annotated[date | None, Query(alias="from", description="First local day, instead of a quarter.")] = None,
    last: Annotated[date | None, Query(alias="to", description="Last local day, included.")] = None,
    year: Annotated[int | None, Query(ge=2020, le=2100)] = None,
    quarter: Annotated[int | None, Query(ge=1, le=4, description="With `year`. Nothing: the last whole quarter.")] = None,
    form: Form = "json",
    time_zone: Zone = "UTC",
    site: SiteFilter = None,
    provider: Annotated[Text, Query(max_length=_PROVIDER, description="Network provider, as registered.")] = "",
    language: Language = "en",
) -> Response:
    """Data under 23 CFR 680.112 of days or of a quarter: sessions, uptime, outages; the three files of EV-ChART are in the JSON."""
    now = platform.clock.now()
    days = _days(first, last, year, quarter, now.astimezone(ZoneInfo(time_zone)).date())
    within_reason(*days)
    report = await desk.nevi(*days, time_zone, site, provider=provider)
    return await answer(report, form, now, language, site or provider)


def _days(first: date | None, last: date | None, year: int | None, quarter: int | None, today: date) -> tuple[date, date]:
    if (first is None) != (last is None) or (year is None) != (quarter is None) or (first is not None and year is not None):
        raise Conflict("say `from` and `to`, or `year` and `quarter`, or nothing for the last whole quarter")
    if first is not None and last is not None:
        return first, last
    return last_quarter(today) if year is None or quarter is None else quarter_days(year, quarter)


@router.get("/rollups", responses=returns(Page[HourRow], "Hours of connectors, in order of hour, charge point, connector."))
async def rollups(
    _: Reader,
    desk: Desk,
    start: Annotated[Instant, Query(alias="from", description="First hour.")],
    end: Annotated[Instant, Query(alias="to", description="End, not included.")],
    cursor: Cursor = None,
    limit: Limit = 1000,
) -> Response:
    """What each connector did in each hour."""
    rows = await desk.rollups.rows(start, end, after=_after(cursor), limit=limit)
    last = rows[-1] if len(rows) == limit else None
    following = None if last is None else f"{last.hour.isoformat()}|{last.connector}|{last.charge_point_id}"
    return json(Page(rows, following))


def _after(cursor: str | None) -> tuple[datetime, str, str] | None:
    if cursor is None:
        return None
    try:
        hour, connector, charge_point_id = cursor.split("|", 2)
        return datetime.fromisoformat(hour), charge_point_id, connector
    except ValueError:
        raise Conflict("the cursor is not one of this listing") from None


# -- imported history


class SessionBody(BaseModel):
    """One session of another system, already read and checked."""

    model_config = ConfigDict(extra="forbid")
    source: UsableName = Field(min_length=1, max_length=255)
    session_id: UsableName = Field(min_length=1, max_length=255)
    charge_point_id: UsableName = Field(min_length=1, max_length=255)
    connector: str = Field("1", pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$")
    site: Text = Field("", max_length=255)
    model: Text = Field("", max_length=255)
    rated_w: int | None = Field(None, gt=0, le=10_000_000)
    began_at: Instant
    ended_at: Instant
    energy_wh: int = Field(ge=0, le=10**12)
    charging_s: int | None = Field(None, ge=0, le=10**9)
    peak_w: int | None = Field(None, ge=0, le=10**8)
    revenue: Decimal | None = Field(None, max_digits=18, allow_inf_nan=False)
    currency: str = Field("", pattern=r"^([A-Z]{3})?$")
    user: str = Field("", pattern=r"^([0-9a-f]{12})?$", description="A hash; never a token.")
    payment: Text = Field("", max_length=255)
    successful: bool | None = None
    error_code: Text = Field("", max_length=255)


class ImportBody(BaseModel):
    """A part of a file; the command line sends as many as it needs."""

    model_config = ConfigDict(extra="forbid")
    sessions: list[SessionBody] = Field(min_length=1, max_length=MOST_ROWS)


class SessionsTaken(msgspec.Struct, frozen=True):
    """How many there were, and how many of them were new; the others replaced what was there."""

    sessions: int
    new: int


@router.post("/import", responses=returns(SessionsTaken, "What became of them."))
async def import_sessions(
    body: ImportBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("reports.import"))]
) -> Response:
    """Take over sessions of another system; the same ones again change nothing."""
    rows = [ImportedSession(**each.model_dump()) for each in body.sessions]
    made = SessionsTaken(len(rows), await desk.store.put_sessions(rows))
    sources = sorted({row.source for row in rows})
    await trail.record(who.who, f"sessions of {', '.join(sources)}", after=made)
    return json(made)


@router.delete("/import/{source}", responses=returns(SessionsTaken, "How many sessions are forgotten."))
async def forget_import(
    source: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("reports.forget"))]
) -> Response:
    """Forget everything that was imported from a source."""
    made = SessionsTaken(await desk.store.drop_sessions(source), 0)
    await trail.record(who.who, f"sessions of {source}", before=made)
    return json(made)


# -- ports and exclusions


class PortBody(BaseModel):
    """What an authority knows of an EVSE."""

    model_config = ConfigDict(extra="forbid")
    charge_point_id: UsableName = Field(min_length=1, max_length=255)
    evse_id: int = Field(1, ge=1, le=10_000)
    port_id: Text = Field(min_length=1, max_length=255)
    station_id: Text = Field("", max_length=255)
    rated_w: int | None = Field(None, gt=0, le=10_000_000)
    commissioned_at: Instant | None = None
    decommissioned_at: Instant | None = None
    hours: Text = Field("", max_length=255, examples=["Mo-Fr 06:00-22:00; Sa,Su 08:00-20:00"])


@router.get("/ports", responses=returns(Page[PortRow], "By charge point and EVSE."))
async def list_ports(_: Reader, desk: Desk) -> Response:
    """What was entered about ports."""
    return json(Page(await desk.store.ports()))


@router.put("/ports", responses=returns(SessionsTaken, "What became of them."))
async def put_ports(
    body: Annotated[list[PortBody], Field(min_length=1, max_length=MOST_ROWS)],
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("reports.ports"))],
) -> Response:
    """Say what ports are: their ids, power, time in service and hours of operation."""
    rows = [PortRow(**each.model_dump()) for each in body]
    for row in rows:
        parse(row.hours)
    made = SessionsTaken(len(rows), await desk.store.put_ports(rows))
    await trail.record(who.who, f"{len(rows)} ports", after=made)
    return json(made)


class ExclusionBody(BaseModel):
    """What is excluded from outages, why, and what proves it."""

    model_config = ConfigDict(extra="forbid")
    site_id: UsableName | None = Field(None, max_length=255)
    charge_point_id: UsableName | None = Field(None, max_length=255)
    evse_id: int | None = Field(None, ge=1, le=10_000)
    reason: Reason
    began_at: Instant
    ended_at: Instant
    evidence: Text = Field(min_length=1, max_length=1000)


@router.get("/exclusions", responses=returns(Page[Exclusion], "By id; withdrawn ones included."))
async def list_exclusions(
    _: Reader,
    desk: Desk,
    start: Annotated[Instant, Query(alias="from")],
    end: Annotated[Instant, Query(alias="to")],
) -> Response:
    """Exclusions that overlap a period."""
    return json(Page(await desk.store.exclusions(start, end)))


@router.post("/exclusions", responses=returns(Exclusion, "With its id.", status=201), status_code=201)
async def add_exclusion(
    body: ExclusionBody, who: BillingManager, platform: At, desk: Desk, trail: Annotated[Trail, Depends(Audited("reports.exclude"))]
) -> Response:
    """Exclude a stretch of time from the outages of a site, a charge point or an EVSE."""
    wanted = checked(Exclusion(**body.model_dump(), created_at=platform.clock.now(), created_by=who.who))
    made = await desk.store.add_exclusion(wanted)
    await trail.record(who.who, f"exclusion {made.exclusion_id}", after=made)
    return json(made, 201)


@router.delete("/exclusions/{exclusion_id}", responses=returns(Exclusion, "As it is now."))
async def withdraw_exclusion(
    exclusion_id: Annotated[int, Path(ge=1, le=2**62, description="The number of the exclusion.")],
    who: BillingManager,
    platform: At,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("reports.withdraw"))],
) -> Response:
    """Take an exclusion back. It stays in the list, as evidence."""
    made = await desk.store.withdraw_exclusion(exclusion_id, who.who, platform.clock.now())
    await trail.record(who.who, f"exclusion {exclusion_id}", after=made)
    return json(made)


# -- delivery


class ScheduleBody(BaseModel):
    """A report that is delivered by itself."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["utilization", "uptime", "sessions", "nevi"]
    format: Literal["pdf", "html", "csv", "json"] = "pdf"
    every: Literal["day", "week", "month", "quarter"] = "month"
    time_zone: Annotated[Text, AfterValidator(_zone)] = "UTC"
    language: Literal["en", "de"] = "en"
    site_id: UsableName | None = Field(None, max_length=255)
    receiver: Text = Field("", max_length=255, description="Label `receiver` of the notice, for routes of the relay.")
    enabled: bool = True


@router.get("/schedules", responses=returns(Page[Schedule], "By id."))
async def list_schedules(_: Reader, desk: Desk) -> Response:
    """Scheduled reports."""
    return json(Page(await desk.store.schedules()))


@router.put("/schedules/{schedule_id}", responses=returns(Schedule, "As it is now."))
async def put_schedule(
    schedule_id: Name,
    body: ScheduleBody,
    who: BillingManager,
    platform: At,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("reports.schedule"))],
) -> Response:
    """Create or replace a schedule. Its first report is that of the period that runs now, once it is over."""
    made = Schedule(schedule_id=schedule_id, **body.model_dump(), created_at=platform.clock.now(), created_by=who.who)
    await desk.store.put_schedule(made)
    await trail.record(who.who, f"schedule {schedule_id}", after=made)
    return json(made)


@router.delete("/schedules/{schedule_id}", responses=returns(Schedule, "As it was."))
async def remove_schedule(
    schedule_id: Name, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("reports.unschedule"))]
) -> Response:
    """Deliver it no more."""
    made = await desk.store.remove_schedule(schedule_id)
    await trail.record(who.who, f"schedule {schedule_id}", before=made)
    return json(made)


@router.post("/schedules/{schedule_id}/deliver", responses=returns(Schedule, "As it is now.", status=202), status_code=202)
async def deliver_now(
    schedule_id: Name, who: BillingManager, program: Program, trail: Annotated[Trail, Depends(Audited("reports.deliver"))]
) -> Response:
    """Deliver the last whole period now, whether it was delivered before or not."""
    made = await program.delivery.deliver_now(schedule_id)
    await trail.record(who.who, f"schedule {schedule_id}", after=made)
    return json(made, 202)
