"""API keys: made, listed, revoked."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet.errors import Conflict
from chargenet.model.key import Key, NewKey
from chargenet.model.words import Role
from chargenet.stores import MAX_LIMIT, Page
from chargewatch.api.answers import Cursor, Limit, Name, UsableName, json, returns
from chargewatch.api.auth import Administrator, At
from chargewatch.api.platform import Platform
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/keys", tags=["keys"])


class KeyBody(BaseModel):
    """Who will use the key, and as what."""

    model_config = ConfigDict(extra="forbid")
    name: UsableName = Field(min_length=1, max_length=100, examples=["wallboard"])
    role: Role = Role.VIEWER


@router.get("", responses=returns(Page[Key], "Keys, oldest first; never their secrets."))
async def list_keys(_: Administrator, platform: At, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """All keys, the revoked ones too."""
    return json(await platform.stores.keys.page(cursor=cursor, limit=limit))


@router.post("", status_code=201, responses=returns(NewKey, "Made. The secret is shown this once.", 201))
async def create_key(
    body: KeyBody, who: Administrator, platform: At, trail: Annotated[Trail, Depends(Audited("keys.create"))]
) -> Response:
    """Make a key."""
    made = await platform.keys.create(body.name, body.role, platform.clock.now())
    await trail.record(who.who, f"key {made.key.key_id}", after=made.key)
    return json(made, 201)


@router.delete("/{key_id}", responses=returns(Key, "Revoked at once."))
async def revoke_key(
    key_id: Name, who: Administrator, platform: At, request: Request, trail: Annotated[Trail, Depends(Audited("keys.revoke"))]
) -> Response:
    """Revoke a key. The last working admin key cannot be revoked: nobody could make another."""
    lock: asyncio.Lock = request.app.state.registrations
    async with lock:
        working = await _working_admins(platform)
        if working == {key_id}:
            raise Conflict(f"key {key_id!r} is the last working admin key: make another one first")
        key = await platform.keys.revoke(key_id, platform.clock.now())
    await trail.record(who.who, f"key {key_id}", before={"revoked_at": None}, after=key)
    return json(key)


async def _working_admins(platform: Platform) -> set[str]:
    found: set[str] = set()
    cursor: str | None = None
    while True:
        page = await platform.stores.keys.page(cursor=cursor, limit=MAX_LIMIT)
        found.update(key.key_id for key in page.items if key.role == Role.ADMIN and key.revoked_at is None)
        cursor = page.next_cursor
        if cursor is None:
            return found
