"""CDRs over HTTP: what each transaction costs and why, what could not be billed, and taking a CDR back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.cdr import Cdr, CdrTrace, SignedReading
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.sessions import BilledSession
from billing_reports.trace import CdrTraceView
from billing_reports.view import priced_view
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.auth import Principal
from chargewatch.api.billing_values import BillingManager, BillingReader, CdrShown, Desk, Remark, shown
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/cdrs", tags=["billing"])


class CdrFile(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR whole. `priced` is the breakdown as `chargewatch price --json` prints it; money is text in `currency`."""

    cdr: CdrShown
    currency: str
    time_zone: str
    id_token: str | None
    meter_id: str | None
    estimated: bool
    flags: tuple[str, ...]
    remark: str | None
    priced: dict[str, Any]
    signed: tuple[SignedReading, ...]
    trace: CdrTrace


class Unbilled(msgspec.Struct, frozen=True):
    """A transaction, or a report without one, that could not be billed."""

    charge_point_id: str
    subject: str
    """The transaction's id, or `report SEQUENCE.ORDINAL`."""
    issue: BillingIssue | None


class CreditBody(BaseModel):
    """Why, and whether a new CDR is made by the tariffs and contracts of now."""

    model_config = ConfigDict(extra="forbid")
    remark: Remark = Field(min_length=1, examples=["wrong tariff was assigned"])
    rebill: bool = False


class DismissBody(BaseModel):
    """Which transaction, and why nobody is charged."""

    model_config = ConfigDict(extra="forbid")
    charge_point_id: Text = Field(min_length=1, max_length=255)
    subject: Text = Field(min_length=1, max_length=300)
    remark: Remark = Field(min_length=1)


@router.get("", responses=returns(Page[CdrShown], "CDRs, those that ended last first."))
async def list_cdrs(
    _: BillingReader,
    desk: Desk,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    site_id: Annotated[Text | None, filter_text("Only this site's.")] = None,
    customer: Annotated[Text | None, filter_text("Only this customer's.")] = None,
    statement: Annotated[Text | None, filter_text("Only those on this statement (its id).")] = None,
    unassigned: Annotated[bool | None, Query(description="Only those of no customer, or only those of one.")] = None,
    credit: Annotated[bool | None, Query(description="Only credits, or none.")] = None,
    since: Annotated[Instant | None, Query(description="Ended at or after.")] = None,
    until: Annotated[Instant | None, Query(description="Ended before.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What each transaction costs."""
    page = await desk.ledger.page(
        charge_point_id=charge_point, site_id=site_id, customer_id=customer, statement_id=statement, unassigned=unassigned,
        credit=credit, since=since, until=until, cursor=cursor, limit=limit,
    )  # fmt: skip
    return json(Page([shown(row) for row in page.items], page.next_cursor))


@router.get("/unbilled", responses=returns(Page[Unbilled], "By charge point."))
async def list_unbilled(
    who: BillingReader,
    desk: Desk,
    reason: IssueReason | None = None,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Transactions that could not be billed, each with its reason and what to do."""
    page = await desk.ledger.issues(
        reason=None if reason is None else reason.value, charge_point_id=charge_point, cursor=cursor, limit=limit
    )
    return json(Page([_unbilled(each, who) for each in page.items], page.next_cursor))


@router.post("/unbilled/dismiss", responses=returns(Unbilled, "It is not listed any more."))
async def dismiss_unbilled(
    body: DismissBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("cdrs.dismiss"))]
) -> Response:
    """Decide that nobody is charged for a transaction that could not be billed."""
    done = await desk.dismiss(body.charge_point_id, body.subject, body.remark)
    await trail.record(who.who, f"transaction {done.subject} of {done.charge_point_id}", after={"remark": body.remark})
    return json(_unbilled(done, who))


@router.get("/{cdr_id}", responses=returns(CdrFile, "The CDR."))
async def show_cdr(cdr_id: Name, who: BillingReader, desk: Desk) -> Response:
    """One CDR with its whole breakdown, signed values and trace."""
    cdr, row = await desk.ledger.cdr(cdr_id), await desk.ledger.row(cdr_id)
    return json(_file(cdr, shown(row), who))


@router.get("/{cdr_id}/trace", responses=returns(CdrTraceView, "Every figure, and the frames it rests on."))
async def trace_cdr(cdr_id: Name, _: BillingReader, desk: Desk) -> Response:
    """Follow every figure of a CDR back to the frames as they came."""
    return json(await desk.trace(cdr_id))


@router.get("/{cdr_id}/signed", responses=returns(tuple[SignedReading, ...], "Its signed values, in order of time."))
async def check_signed(cdr_id: Name, _: BillingReader, desk: Desk) -> Response:
    """The signed values of a CDR judged anew, by the meter keys that are registered now. The CDR stays as it is."""
    return json(await desk.signed_now(cdr_id))


@router.post("/{cdr_id}/credit", responses=returns(list[CdrShown], "The credit CDR, and the new one where there is one."))
async def credit_cdr(
    cdr_id: Name, body: CreditBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("cdrs.credit"))]
) -> Response:
    """Take a CDR back by a credit CDR. Nothing is edited; with `rebill` a new CDR follows."""
    made = await desk.credit(cdr_id, body.remark, rebill=body.rebill)
    after = {"remark": body.remark, "cdrs": [each.id for each in made]}
    await trail.record(who.who, f"CDR {cdr_id}", after=after)
    return json([shown(each) for each in made])


def _unbilled(session: BilledSession, who: Principal) -> Unbilled:
    issue = session.issue
    if issue is not None:
        issue = msgspec.structs.replace(issue, id_token=who.shown_token(issue.id_token))
    return Unbilled(session.charge_point_id, session.subject, issue)


def _file(cdr: Cdr, row: CdrShown, who: Principal) -> CdrFile:
    return CdrFile(
        cdr=row, currency=cdr.currency, time_zone=cdr.usage.time_zone, id_token=who.shown_token(cdr.id_token),
        meter_id=cdr.meter_id, estimated=cdr.estimated, flags=cdr.flags, remark=cdr.remark, priced=priced_view(cdr.priced),
        signed=cdr.signed, trace=cdr.trace,
    )  # fmt: skip
