"""The audit log over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from chargenet.model.audit import AuditEntry
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import Administrator, At

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", responses=returns(Page[AuditEntry], "Entries, newest first."))
async def list_audit(
    _: Administrator,
    platform: At,
    who: Annotated[Text | None, filter_text("Only by this key (its id and name).")] = None,
    action: Annotated[Text | None, filter_text("Only this action, e.g. tokens.block.", 100)] = None,
    target: Annotated[Text | None, filter_text("Only this target, e.g. charge-point CP-1.", 300)] = None,
    since: Annotated[Instant | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Who changed what, and what it was before."""
    page = platform.stores.audit.page
    return json(await page(who=who, action=action, target=target, since=since, cursor=cursor, limit=limit))
