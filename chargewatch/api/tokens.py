"""The token table. ID tokens are personal data: they travel in bodies, never in paths, and the audit log has their hash."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet.errors import NotFound
from chargenet.model.ids import IdToken
from chargenet.model.token import TokenImport, TokenReject, TokenRow
from chargenet.model.token_file import read_tokens
from chargenet.model.words import TokenKind, TokenStatus
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Instant, Limit, Text, UsableName, filter_text, json, returns
from chargewatch.api.auth import At, Principal, TokenManager, TokenReader
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/tokens", tags=["tokens"])


class TokenValue(BaseModel):
    """Which token; case does not matter."""

    model_config = ConfigDict(extra="forbid")
    value: UsableName = Field(min_length=1, max_length=255, examples=["04A2B3C4D5E680"])


class TokenBody(TokenValue):
    """A token as the table keeps it."""

    kind: TokenKind = TokenKind.UNKNOWN
    status: TokenStatus = TokenStatus.ACCEPTED
    parent: Text | None = Field(None, max_length=255, description="1.6 parentIdTag, 2.x groupIdToken.")
    expires_at: Instant | None = None
    note: Text | None = Field(None, max_length=1000)


class TokensImported(msgspec.Struct, frozen=True):
    """How many rows were taken, how many of those are new, and the lines that were not taken, each with its reason."""

    taken: int
    new: int
    rejects: tuple[TokenReject, ...]


def _audited(row: TokenRow | None) -> dict[str, object] | None:
    """A row without the token itself, for the audit log."""
    if row is None:
        return None
    shown: dict[str, object] = msgspec.to_builtins(row)
    return {**shown, "value": IdToken(row.value).hashed, "parent": row.parent and IdToken(row.parent).hashed}


@router.get("", responses=returns(Page[TokenRow], "Tokens by value."))
async def list_tokens(
    _: TokenReader,
    platform: At,
    status: TokenStatus | None = None,
    search: Annotated[Text | None, filter_text("Part of the value.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Tokens in the table."""
    return json(await platform.stores.tokens.page(status=status, search=search, cursor=cursor, limit=limit))


@router.post("", responses=returns(TokenRow, "As the table has it now."))
async def put_token(
    body: TokenBody, who: TokenManager, platform: At, trail: Annotated[Trail, Depends(Audited("tokens.add"))]
) -> Response:
    """Add a token, or replace the row of the same value."""
    before = await platform.stores.tokens.get(body.value)
    now = platform.clock.now()
    return json(await _put(platform, TokenRow(**body.model_dump(), created_at=now, updated_at=now), before, who, trail))


@router.post("/block", responses=returns(TokenRow, "Blocked."))
async def block_token(
    body: TokenValue, who: TokenManager, platform: At, trail: Annotated[Trail, Depends(Audited("tokens.block"))]
) -> Response:
    """Block a token. One that is not in the table yet is added, blocked."""
    before = await platform.stores.tokens.get(body.value)
    now = platform.clock.now()
    row = before or TokenRow(value=body.value, created_at=now)
    return json(await _put(platform, msgspec.structs.replace(row, status=TokenStatus.BLOCKED, updated_at=now), before, who, trail))


@router.post("/remove", responses=returns(TokenRow, "As it was."))
async def remove_token(
    body: TokenValue, who: TokenManager, platform: At, trail: Annotated[Trail, Depends(Audited("tokens.remove"))]
) -> Response:
    """Take a token out of the table; from then on it is answered as an unknown one (`tokens.unknown`)."""
    row = await platform.stores.tokens.remove(body.value)
    await trail.record(who.who, f"token {IdToken(row.value).hashed}", before=_audited(row))
    await platform.tokens_changed()
    return json(row)


@router.post("/import", responses=returns(TokensImported, "What was taken."))
async def import_tokens(
    who: TokenManager,
    platform: At,
    trail: Annotated[Trail, Depends(Audited("tokens.import"))],
    body: Annotated[
        bytes, Body(media_type="text/csv", examples=["value,kind,status,parent,expires_at\n04A2B3C4,ISO14443,Accepted,,\n"])
    ],
    dry_run: Annotated[bool, Query(description="Only say what would be taken.")] = False,
) -> Response:
    """Add or replace many tokens from CSV with the columns value, kind, status, parent, expires_at (value alone will do)."""
    now = platform.clock.now()
    read = await asyncio.to_thread(_read, body, now)
    if dry_run or not read.tokens:
        await trail.record(who.who, "tokens", after={"taken": 0, "rejected": len(read.rejects), "dry_run": dry_run})
        return json(TokensImported(len(read.tokens) if dry_run else 0, 0, read.rejects))
    new = await platform.stores.tokens.put(read.tokens)
    await trail.record(who.who, "tokens", after={"taken": len(read.tokens), "new": new, "rejected": len(read.rejects)})
    await platform.tokens_changed()
    return json(TokensImported(len(read.tokens), new, read.rejects))


def _read(body: bytes, now: datetime) -> TokenImport:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ApiError(422, f"the file is not UTF-8 text (byte {error.start})") from error
    return read_tokens(text.splitlines(keepends=True), now)


async def _put(platform: Platform, row: TokenRow, before: TokenRow | None, who: Principal, trail: Trail) -> TokenRow:
    await platform.stores.tokens.put([row])
    after = await platform.stores.tokens.get(row.value)
    if after is None:
        raise NotFound("token", IdToken(row.value).hashed)
    await trail.record(who.who, f"token {IdToken(row.value).hashed}", before=_audited(before), after=_audited(after))
    await platform.tokens_changed()
    return after
