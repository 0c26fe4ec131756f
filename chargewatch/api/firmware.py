"""Firmware files: add, list, show, approve. Rollouts use them; charge points fetch them below /f/ (firmware_downloads.py)."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Name, json, returns
from chargewatch.api.auth import Approver, At, Reader, RollOut
from chargewatch.api.files import DiskSink, FileTooLarge, safe_name
from chargewatch.api.firmware_form import FirmwareForm
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail
from chargewatch.firmware_files import incoming
from chargewatch.shapes import FirmwareShown
from firmware_orchestrator.artifacts import Artifact
from firmware_orchestrator.manifest_file import parse_manifest

log = logging.getLogger(__name__)
router = APIRouter(prefix="/firmware", tags=["firmware"])

_FLOORS = 2
"""A file ends where twice the space is left at which the journal would stop."""
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["manifest", "file"],
                    "properties": {
                        "manifest": {"type": "string", "description": "YAML or JSON, see docs/firmware-files.md."},
                        "file": {"type": "string", "format": "binary"},
                    },
                }
            }
        },
    }
}


async def shown(platform: Platform, artifact: Artifact) -> FirmwareShown:
    """As routes show it."""
    count = len(await platform.firmware.shelf.approvals(artifact))
    return FirmwareShown(artifact=artifact, approvals_that_count=count, approved=count >= artifact.approvals_needed)


@router.get("", responses=returns(Page[FirmwareShown], "Firmware files, newest first."))
async def list_firmware(_: Reader, platform: At, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """All firmware files."""
    page = await platform.firmware.shelf.page(cursor=cursor, limit=limit)
    return json(Page([await shown(platform, each) for each in page.items], page.next_cursor))


@router.get("/{artifact_id}", responses=returns(FirmwareShown, "The firmware file."))
async def show_firmware(artifact_id: Name, _: Reader, platform: At) -> Response:
    """One firmware file: its manifest, hash, signature check and approvals."""
    return json(await shown(platform, await platform.firmware.shelf.artifact(artifact_id)))


@router.post("", status_code=201, responses=returns(FirmwareShown, "As it was added.", 201), openapi_extra=_FORM)
async def add_firmware(
    request: Request, who: RollOut, platform: At, trail: Annotated[Trail, Depends(Audited("firmware.add"))]
) -> Response:
    """Add a firmware file with its manifest, as a form. Its hash and size are pinned now, and its signature is tried."""
    limit = platform.settings.firmware.max_file_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit + (1 << 20):
        raise _too_large(limit)
    artifact = await _receive(request, platform, limit, who.who)
    await trail.record(who.who, f"firmware {artifact.artifact_id}", after=_summary(artifact))
    return json(await shown(platform, artifact), 201)


@router.post("/{artifact_id}/approvals", status_code=201, responses=returns(FirmwareShown, "As it is now.", 201))
async def approve_firmware(
    artifact_id: Name, who: Approver, platform: At, trail: Annotated[Trail, Depends(Audited("firmware.approve"))]
) -> Response:
    """Say yes to a firmware file with this key. It counts once per key, until it expires or the key is revoked."""
    artifact = await platform.firmware.shelf.approve(artifact_id, who.key.key_id, who.who)
    result = await shown(platform, artifact)
    summary = {"sha256": artifact.sha256, "approvals": result.approvals_that_count, "needed": artifact.approvals_needed}
    await trail.record(who.who, f"firmware {artifact_id}", after=summary)
    return json(result, 201)


async def _receive(request: Request, platform: Platform, limit: int, who: str) -> Artifact:
    shelf = platform.firmware.shelf
    path = incoming(shelf, secrets.token_hex(16))
    sink = DiskSink(path, limit, _FLOORS * platform.settings.journal.free_space_floor_bytes)
    form = FirmwareForm(request)
    try:
        size, sha256 = await _stored(form, sink)
        source = safe_name(form.names["manifest"], "manifest")
        manifest = await asyncio.to_thread(parse_manifest, form.manifest, source)
        return await shelf.add(manifest, source, safe_name(form.names["file"], manifest.name), path, sha256, size, who)
    except FileTooLarge:
        raise _too_large(limit) from None
    except ClientDisconnect as error:
        raise ApiError(400, "the upload broke off") from error
    except OSError as error:
        log.error("a firmware file could not be stored: %s", error.strerror)
        raise ApiError(503, f"the file could not be stored: {error.strerror}", headers={"Retry-After": "60"}) from error
    finally:
        await asyncio.shield(sink.discard())


async def _stored(form: FirmwareForm, sink: DiskSink) -> tuple[int, str]:
    async for piece in form.pieces():
        await sink.write(piece)
    size, sha256 = await sink.finish()
    if not size:
        raise ApiError(422, "the firmware file is empty")
    return size, sha256


def _summary(artifact: Artifact) -> dict[str, Any]:
    """What the audit log keeps: which bytes, for whom."""
    manifest = artifact.manifest
    return {
        "sha256": artifact.sha256,
        "size_bytes": artifact.size_bytes,
        "vendor": manifest.vendor,
        "models": manifest.models,
        "version": artifact.version,
        "signature": artifact.signature_check.sentence,
    }


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"a firmware file may have {limit} bytes (firmware.max_file_bytes)")
