"""The message log over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from chargenet.model.record import microseconds
from chargenet.stores import Page
from chargewatch.api.answers import ChargePointId, Instant, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import At, EvidenceReader
from chargewatch.frames import FrameEntry, read_frames

router = APIRouter(prefix="/charge-points", tags=["frames"])


@router.get("/{charge_point_id}/frames", responses=returns(Page[FrameEntry], "Frames, newest first."))
async def list_frames(
    charge_point_id: ChargePointId,
    _: EvidenceReader,
    platform: At,
    since: Annotated[Instant | None, Query(description="Only those that we received at or after this instant.")] = None,
    until: Annotated[Instant | None, Query(description="Only those that we received before this instant.")] = None,
    action: Annotated[Text | None, filter_text("Only this OCPP action, e.g. StatusNotification.", 100)] = None,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="`next_cursor` of the page before.")] = None,
    limit: Limit = 100,
) -> Response:
    """What this charge point said and what it was answered, our calls to it, its connections: from the journal, decoded.

    With `action` or `until`, a page may be short, even empty, and still have a `next_cursor`: at most 20,000 records are looked at
    each time.
    """
    page = await asyncio.to_thread(
        read_frames,
        platform.journal,
        platform.interpret,
        charge_point_id,
        since_us=microseconds(since) if since else 0,
        until_us=microseconds(until) if until else None,
        before=cursor,
        action=action,
        limit=limit,
    )
    return json(Page(page.items, None if page.next_before is None else str(page.next_before)))
