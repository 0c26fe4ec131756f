"""Cases over HTTP: what is wrong, with its evidence and history; taking and ending it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from alerts.case import Case
from alerts.judgement import Judgement
from alerts.store import PastChange
from chargenet.errors import NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import At, CaseManager, Reader
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/cases", tags=["cases"])
CaseId = Annotated[int, Path(ge=1, le=2**62, description="The number of the case.", examples=[17])]


class CaseFile(msgspec.Struct, frozen=True):
    """A case and what happened to it, oldest first."""

    case: Case
    history: Sequence[PastChange]


class NoteBody(BaseModel):
    """What the person who does it wants others to know."""

    model_config = ConfigDict(extra="forbid")
    note: Text = Field("", max_length=1000, examples=["On my way."])


@router.get("", responses=returns(Page[Case], "Cases, newest first."))
async def list_cases(
    _: Reader,
    platform: At,
    open_: Annotated[bool | None, Query(alias="open", description="Only unresolved ones, or only resolved ones.")] = None,
    kind: Annotated[Text | None, filter_text("Only this kind, e.g. faulted.", 64)] = None,
    severity: Annotated[Text | None, filter_text("Only critical, warning or info.", 16)] = None,
    site_id: Annotated[Text | None, filter_text("Only this site's.")] = None,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What is or was wrong, with the evidence. Hidden cases are here too: `suppressed_by` or `masked_by` says why."""
    page = await platform.alerts.store.cases(
        is_open=open_, kind=kind, severity=severity, site_id=site_id, charge_point_id=charge_point, cursor=cursor, limit=limit
    )
    return json(page)


@router.post("/judge", responses=returns(Judgement, "All findings that are true now."))
async def judge_now(who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("cases.judge"))]) -> Response:
    """Run every detector now instead of at its next time. What is found becomes cases, as it always does."""
    judgement = await platform.alerts.judge_now()
    await trail.record(who.who, "network", after={"findings": len(judgement.findings)})
    return json(judgement)


@router.get("/{case_id}", responses=returns(CaseFile, "The case and its history."))
async def show_case(case_id: CaseId, _: Reader, platform: At) -> Response:
    """One case."""
    store = platform.alerts.store
    case = await store.case(case_id)
    if case is None:
        raise NotFound("case", str(case_id))
    return json(CaseFile(case, await store.history(case_id)))


@router.post("/{case_id}/acknowledge", responses=returns(Case, "The case, taken."))
async def acknowledge_case(
    case_id: CaseId, body: NoteBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("cases.acknowledge"))]
) -> Response:
    """Take a case: others see that somebody is at it, and it is not told again."""
    before, after = await platform.alerts.acknowledge(case_id, who.who, body.note)
    await trail.record(who.who, f"case {case_id}", before=_short(before), after=_short(after))
    return json(after)


@router.post("/{case_id}/resolve", responses=returns(Case, "The case, resolved."))
async def resolve_case(
    case_id: CaseId, body: NoteBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("cases.resolve"))]
) -> Response:
    """End a case by hand. What is still found some minutes later reopens it."""
    before, after = await platform.alerts.resolve(case_id, who.who, body.note)
    await trail.record(who.who, f"case {case_id}", before=_short(before), after=_short(after))
    return json(after)


def _short(case: Case) -> dict[str, object]:
    return {"state": str(case.state), "thing": case.thing, "kind": case.kind, "note": case.note}
