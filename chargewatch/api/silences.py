"""Silences over HTTP: what nobody wants to hear for a while."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from alerts.matchers import MAX_MATCHERS
from alerts.stages.silence import Silence
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Text, json, returns
from chargewatch.api.auth import At, CaseManager, Reader
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/silences", tags=["alerts"])
SilenceId = Annotated[str, Path(min_length=1, max_length=64, description="The id of the silence.")]
MatcherText = Annotated[Text, Field(min_length=1, max_length=600)]


class SilenceBody(BaseModel):
    """All matchers must hold: LABEL=VALUE, LABEL!=VALUE, LABEL~PATTERN or LABEL!~PATTERN, where * in a pattern is any text."""

    model_config = ConfigDict(extra="forbid")
    matchers: list[MatcherText] = Field(min_length=1, max_length=MAX_MATCHERS, examples=[["site=harbour", "kind~Connector*"]])
    starts_at: Instant | None = Field(None, description="Now, where it is not given.")
    ends_at: Instant
    comment: Text = Field(min_length=1, max_length=500, examples=["The grid operator knows."])


@router.get("", responses=returns(Page[Silence], "Silences, newest first."))
async def list_silences(
    _: Reader,
    platform: At,
    current: Annotated[bool, Query(description="Only those that are not over.")] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What is kept quiet, was, or will be."""
    in_force_at = platform.clock.now() if current else None
    return json(await platform.relay.store.silences(in_force_at=in_force_at, cursor=cursor, limit=limit))


@router.post("", status_code=201, responses=returns(Silence, "The silence.", 201))
async def add_silence(
    body: SilenceBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("silences.add"))]
) -> Response:
    """Keep alerts quiet. They stay visible; what is still wrong at the end is told."""
    starts_at = body.starts_at or platform.clock.now()
    added = await platform.relay.add_silence(body.matchers, starts_at, body.ends_at, body.comment, who.who)
    await trail.record(who.who, f"silence {added.silence_id}", after=added)
    return json(added, 201)


@router.delete("/{silence_id}", responses=returns(Silence, "The silence, ended."))
async def end_silence(
    silence_id: SilenceId, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("silences.end"))]
) -> Response:
    """End a silence before its time: what is still wrong is told."""
    before, after = await platform.relay.end_silence(silence_id, who.who)
    await trail.record(who.who, f"silence {silence_id}", before=before, after=after)
    return json(after)
