"""Statements over HTTP: billing runs, drafts, final statements, credit notes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from billing_reports.money import Money
from billing_reports.runs import Run, StatementRow
from billing_reports.statement import Statement, StatementState
from chargenet.errors import Conflict, NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.billing_values import MONTH, Amount, BillingManager, BillingReader, Desk, MonthText, Remark, amount, month_day
from chargewatch.api.customers import Zone
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/statements", tags=["billing"])
MOST_AT_ONCE = 500


class StatementShown(msgspec.Struct, frozen=True, kw_only=True):
    """A statement in a listing."""

    id: str
    kind: str
    state: str
    number: str | None
    customer_id: str
    customer_name: str
    month: str
    payable: Amount
    lines: int
    created_at: datetime
    issued_at: datetime | None
    due_on: date | None


class PreviewShown(msgspec.Struct, frozen=True):
    """Totals of one currency, as if every price were before taxes."""

    currency: str
    customers: int
    lines: int
    net: Amount
    tax: Amount
    payable: Amount


class RunBody(BaseModel):
    """Which month, and for whom."""

    model_config = ConfigDict(extra="forbid")
    month: MonthText
    time_zone: Zone | None = Field(None, description="Only customers of this time zone.")
    finalize: bool = Field(False, description="Number and issue the statements; without it they stay drafts.")
    unfinished_month: bool = Field(False, description="Issue them although the month goes on.")


class FinalizeBody(BaseModel):
    """Which drafts: these, or all of a month. Numbers are given in the order of the list, or of ids."""

    model_config = ConfigDict(extra="forbid")
    statements: list[Annotated[Text, Field(min_length=1, max_length=255)]] | None = Field(
        None, min_length=1, max_length=MOST_AT_ONCE
    )
    month: MonthText | None = None


class CreditNoteBody(BaseModel):
    """Why; it is printed on the credit note."""

    model_config = ConfigDict(extra="forbid")
    remark: Remark = Field(min_length=1)


@router.get("", responses=returns(Page[StatementShown], "Statements and credit notes, newest first."))
async def list_statements(
    _: BillingReader,
    desk: Desk,
    month: Annotated[str | None, Query(pattern=MONTH, description="Only this month's, e.g. 2026-10.")] = None,
    state: Literal["draft", "final", "credited"] | None = None,
    customer: Annotated[Text | None, filter_text("Only this customer's.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """All statements."""
    first = None if month is None else month_day(month)
    page = await desk.statements.page(month=first, state=state, customer_id=customer, cursor=cursor, limit=limit)
    return json(Page([_shown(each) for each in page.items], page.next_cursor))


@router.get("/preview", responses=returns(list[PreviewShown], "By currency."))
async def preview_month(
    _: BillingReader, desk: Desk, month: Annotated[str, Query(pattern=MONTH, description="Which month, e.g. 2026-10.")]
) -> Response:
    """What the CDRs of a month come to that are on no statement yet: control totals before a run, without plans."""
    found = await desk.preview(month_day(month))
    return json([PreviewShown(each[0], each[1], each[2], *(_amount(money) for money in each[3:])) for each in found])


@router.get("/runs", responses=returns(Page[Run], "The last hundred billing runs, newest first."))
async def list_runs(_: BillingReader, desk: Desk) -> Response:
    """Billing runs, with how far they are."""
    return json(Page(await desk.statements.runs()))


@router.post("/runs", responses=returns(Run, "The run; it goes on by itself.", status=202), status_code=202)
async def begin_run(
    body: RunBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("statements.run"))]
) -> Response:
    """Make statements of a month. Doing it again makes drafts anew and leaves final statements alone."""
    run = await desk.run(
        month_day(body.month), time_zone=body.time_zone, finalize=body.finalize, unfinished_month=body.unfinished_month, who=who.who
    )
    await trail.record(who.who, f"run {run.run_id}", after=run)
    return json(run, 202)


@router.get("/runs/{run_id}", responses=returns(Run, "The run."))
async def show_run(run_id: Name, _: BillingReader, desk: Desk) -> Response:
    """One run: how many customers are done."""
    run = await desk.statements.run(run_id)
    if run is None:
        raise NotFound("run", run_id)
    return json(run)


@router.post("/finalize", responses=returns(list[StatementShown], "The final statements."))
async def finalize_statements(
    body: FinalizeBody, who: BillingManager, desk: Desk, trail: Annotated[Trail, Depends(Audited("statements.finalize"))]
) -> Response:
    """Number drafts and issue them: all of the request, or none."""
    if (body.statements is None) == (body.month is None):
        raise Conflict("say either which statements, or the month")
    wanted = list(dict.fromkeys(body.statements or ()))
    if body.month is not None:
        drafts = await desk.statements.ids(month=month_day(body.month), state=StatementState.DRAFT.value)
        if len(drafts) > MOST_AT_ONCE:
            raise Conflict(f"{len(drafts)} drafts are too many for one request: begin a run with `finalize`")
        wanted = [name for name, _ in drafts]
    made = await desk.finalize(wanted)
    numbers = [each.number for each in made]
    await trail.record(who.who, f"{len(made)} statements", after={"numbers": numbers})
    return json([_row(each) for each in made])


@router.get("/{statement_id}", responses=returns(Statement, "The statement; by id or number."))
async def show_statement(
    statement_id: Name,
    _: BillingReader,
    desk: Desk,
    whole: Annotated[bool, Query(description="With the CDR of each line: breakdown, signed values, trace.")] = False,
) -> Response:
    """One statement with its lines."""
    return json(await (desk.statement(statement_id) if whole else desk.statements.statement(statement_id)))


@router.post("/{statement_id}/credit", responses=returns(Statement, "The credit note."))
async def credit_statement(
    statement_id: Name,
    body: CreditNoteBody,
    who: BillingManager,
    desk: Desk,
    trail: Annotated[Trail, Depends(Audited("statements.credit"))],
) -> Response:
    """Take a final statement back. What was on it is billed again by the next run, unless its CDRs are credited too."""
    note = await desk.credit_statement(statement_id, body.remark)
    await trail.record(who.who, f"statement {note.credits_number}", after={"number": note.number, "remark": body.remark})
    return json(note)


def _shown(row: StatementRow) -> StatementShown:
    return StatementShown(
        id=row.id, kind=row.kind, state=row.state, number=row.number, customer_id=row.customer_id, customer_name=row.customer_name,
        month=f"{row.month:%Y-%m}", payable=Amount(row.payable, row.currency), lines=row.lines, created_at=row.created_at,
        issued_at=row.issued_at, due_on=row.due_on,
    )  # fmt: skip


def _amount(money: Money) -> Amount:
    return amount(money.amount, money.currency)


def _row(each: Statement) -> StatementShown:
    payable = each.totals.payable
    return StatementShown(
        id=each.id, kind=each.kind.value, state=each.state.value, number=each.number, customer_id=each.customer_id,
        customer_name=each.customer.name, month=f"{each.month:%Y-%m}", payable=_amount(payable),
        lines=len(each.lines), created_at=each.created_at, issued_at=each.issued_at, due_on=each.due_on,
    )  # fmt: skip
