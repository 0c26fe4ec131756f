"""Diagnostics: ask a charge point for its logs, list what came, download it."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from chargenet.commands import CommandOutcome, GetDiagnostics
from chargenet.errors import NotFound
from chargenet.model.station import Upload
from chargenet.model.words import OutcomeStatus
from chargenet.stores import Page
from chargewatch.api.answers import ChargePointId, Cursor, Instant, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.auth import At, EvidenceReader, Operator
from chargewatch.api.calls import TIMEOUT, send
from chargewatch.api.files import path_of, read_chunks
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.api.tickets import Tickets
from chargewatch.api.trail import Audited, Trail

router = APIRouter(tags=["diagnostics"])

_COUNTER = "request_id"


class DiagnosticsBody(BaseModel):
    """Which log, of which time."""

    model_config = ConfigDict(extra="forbid")
    log_type: Literal["DiagnosticsLog", "SecurityLog"] = "DiagnosticsLog"
    since: Instant | None = None
    until: Instant | None = None
    retries: int | None = Field(None, ge=0, le=100)
    retry_interval_s: int | None = Field(None, ge=0, le=86_400)
    use_log: bool = Field(False, description="OCPP 1.6: send the security whitepaper's GetLog instead of GetDiagnostics.")
    timeout_s: float | None = TIMEOUT


class DiagnosticsRequested(msgspec.Struct, frozen=True):
    """What was asked. The file will be listed with this `request_id` once it has arrived; `expires_at` ends the wait for it."""

    request_id: int
    expires_at: datetime
    outcome: CommandOutcome


async def next_request_id(platform: Platform, request: Request) -> int:
    """A number that no request had before."""
    lock: asyncio.Lock = request.app.state.registrations
    async with lock:
        return await platform.stores.floors.raise_to(_COUNTER, await platform.stores.floors.get(_COUNTER) + 1)


@router.post("/charge-points/{charge_point_id}/diagnostics", responses=returns(DiagnosticsRequested, "The charge point answered."))
async def request_diagnostics(
    charge_point_id: ChargePointId,
    body: DiagnosticsBody,
    who: Operator,
    platform: At,
    request: Request,
    trail: Annotated[Trail, Depends(Audited("diagnostics.request"))],
) -> Response:
    """Ask for an upload: GetDiagnostics or GetLog with a one-time URL of ours. Progress is in the charge point's history."""
    tickets: Tickets = request.app.state.tickets
    request_id = await next_request_id(platform, request)
    now, ttl_s = platform.clock.now(), platform.settings.http.upload_token_ttl_s
    token = await asyncio.to_thread(tickets.issue, charge_point_id, request_id, now, ttl_s)
    command = GetDiagnostics(
        location=f"{platform.upload_base}/uploads/{token}",
        request_id=request_id,
        log_type=body.log_type,
        since=body.since,
        until=body.until,
        retries=body.retries,
        retry_interval_s=body.retry_interval_s,
        signed_form=body.use_log,
    )
    try:
        outcome = await send(platform, charge_point_id, command, body.timeout_s, who, trail)
    except ApiError as error:
        if error.status != 504:  # silence is not a refusal: the upload may still come
            await asyncio.to_thread(tickets.cancel, token)
        raise
    if outcome.status is not OutcomeStatus.ACCEPTED:
        await asyncio.to_thread(tickets.cancel, token)
    return json(DiagnosticsRequested(request_id, now + timedelta(seconds=ttl_s), outcome))


@router.get("/diagnostics", responses=returns(Page[Upload], "Files, newest first."))
async def list_diagnostics(
    _: EvidenceReader,
    platform: At,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Diagnostics files that arrived."""
    return json(await platform.stores.stations.uploads(charge_point_id=charge_point, cursor=cursor, limit=limit))


@router.get("/diagnostics/{file_id}", responses=returns(Upload, "The file's entry."))
async def show_diagnostics(file_id: Name, _: EvidenceReader, platform: At) -> Response:
    """One file's name, size and checksum."""
    return json(await _entry(platform, file_id))


@router.get(
    "/diagnostics/{file_id}/content",
    response_class=StreamingResponse,
    responses={200: {"description": "The file.", "content": {"application/octet-stream": {}}}},
)
async def download_diagnostics(file_id: Name, _: EvidenceReader, platform: At) -> Response:
    """The file itself, byte for byte."""
    entry = await _entry(platform, file_id)
    path = path_of(platform.settings.data_dir, file_id)
    if path is None or not await asyncio.to_thread(path.is_file):
        raise NotFound("diagnostics file", file_id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(entry.name)}",
        "Content-Length": str(entry.size_bytes),
        "ETag": f'"{entry.sha256}"',
    }
    return StreamingResponse(read_chunks(path), headers=headers, media_type="application/octet-stream")


@router.delete("/diagnostics/{file_id}", responses=returns(Upload, "The entry of the file that is gone."))
async def remove_diagnostics(
    file_id: Name, who: Operator, platform: At, trail: Annotated[Trail, Depends(Audited("diagnostics.remove"))]
) -> Response:
    """Remove the file from the disk. Its entry, which the journal has, stays listed; its content is 404 from then on."""
    entry = await _entry(platform, file_id)
    path = path_of(platform.settings.data_dir, file_id)
    try:
        await asyncio.to_thread(os.unlink, path or "")
    except FileNotFoundError:
        raise NotFound("diagnostics file", file_id) from None
    await trail.record(who.who, f"diagnostics {file_id}", before=entry)
    return json(entry)


async def _entry(platform: Platform, file_id: str) -> Upload:
    entry = await platform.stores.stations.upload(file_id)
    if entry is None:
        raise NotFound("diagnostics file", file_id)
    return entry
