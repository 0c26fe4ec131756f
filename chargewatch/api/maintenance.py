"""Maintenance windows over HTTP: planned work, during which nobody is told of what it touches."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from alerts.maintenance import Window
from chargenet.errors import NotFound
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Text, UsableName, json, returns
from chargewatch.api.auth import At, CaseManager, Reader
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/maintenance", tags=["cases"])
WindowId = Annotated[int, Path(ge=1, le=2**62, description="The number of the window.", examples=[3])]


class WindowBody(BaseModel):
    """Planned work at a site, or at one charge point."""

    model_config = ConfigDict(extra="forbid")
    site_id: UsableName | None = Field(None, min_length=1, max_length=255, examples=["harbour"])
    charge_point_id: UsableName | None = Field(None, min_length=1, max_length=255, examples=["CP-1"])
    begins_at: Instant | None = Field(None, description="Now, where it is not given.")
    ends_at: Instant
    reason: Text = Field(min_length=1, max_length=500, examples=["New cables"])


@router.get("", responses=returns(Page[Window], "Windows, newest first."))
async def list_windows(
    _: Reader,
    platform: At,
    current: Annotated[bool, Query(description="Only those that are not over.")] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Planned work, past and to come."""
    ends_after = platform.clock.now() if current else None
    return json(await platform.alerts.store.windows(ends_after=ends_after, cursor=cursor, limit=limit))


@router.post("", status_code=201, responses=returns(Window, "The window.", 201))
async def add_window(
    body: WindowBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("maintenance.add"))]
) -> Response:
    """Announce planned work. Cases that it touches stay visible, and nobody is told of them."""
    now = platform.clock.now()
    if body.site_id is not None and await platform.stores.sites.get(body.site_id) is None:
        raise NotFound("site", body.site_id)
    window = Window(
        window_id=0,
        site_id=body.site_id,
        charge_point_id=body.charge_point_id,
        begins_at=body.begins_at or now,
        ends_at=body.ends_at,
        reason=body.reason,
        created_by=who.who,
        created_at=now,
    )
    added = await platform.alerts.add_window(window)
    await trail.record(who.who, f"maintenance {added.window_id}", after=added)
    return json(added, 201)


@router.delete("/{window_id}", responses=returns(Window, "The window, ended."))
async def end_window(
    window_id: WindowId, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("maintenance.end"))]
) -> Response:
    """End planned work before its time: what is still wrong is told of."""
    ended = await platform.alerts.end_window(window_id, who.who)
    await trail.record(who.who, f"maintenance {window_id}", after=ended)
    return json(ended)
