"""Where charge points put their diagnostics: PUT or POST, raw or as a form, with a one-time token in the path.

Decided here: what counts as the file, and that a broken upload leaves nothing but the permission to try again. The token is never
logged, shown in an error or kept.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from chargewatch.api.auth import At
from chargewatch.api.files import DiskSink, FileTooLarge, path_of, safe_name
from chargewatch.api.platform import Platform, ReceivedUpload
from chargewatch.api.problems import ApiError
from chargewatch.api.tickets import Ticket, Tickets
from chargewatch.api.trail import Audited, Trail

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

log = logging.getLogger(__name__)
router = APIRouter(prefix="/uploads", tags=["uploads"])

Token = Annotated[str, Path(max_length=200, description="The one-time token of the upload URL.")]
Uploaded = Annotated[Trail, Depends(Audited("diagnostics.upload"))]
_STALL_S = 60.0
_FLOORS = 2
"""An upload ends where twice the space is left at which the journal would stop."""
_DONE: dict[int | str, dict[str, Any]] = {201: {"description": "Stored; the token is used up."}}


@router.put("/{token}", status_code=201, responses=_DONE)
@router.post("/{token}", status_code=201, responses=_DONE)
async def upload(token: Token, request: Request, platform: At, trail: Uploaded) -> Response:
    """Receive a diagnostics file. The body is the file, or a form with one file in it."""
    return await receive(token, None, request, platform, trail)


@router.put("/{token}/{name:path}", status_code=201, responses=_DONE)
@router.post("/{token}/{name:path}", status_code=201, responses=_DONE)
async def upload_named(token: Token, name: str, request: Request, platform: At, trail: Uploaded) -> Response:
    """As above; many charge points append the file's name to the URL."""
    return await receive(token, name, request, platform, trail)


async def receive(token: str, name: str | None, request: Request, platform: Platform, trail: Trail) -> Response:
    """One upload from the claimed ticket to the journaled record."""
    tickets: Tickets = request.app.state.tickets
    limit = platform.settings.http.max_upload_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    ticket = await asyncio.to_thread(tickets.claim, token, platform.clock.now())
    if ticket is None:
        raise ApiError(404, "this upload URL is not valid: it was used, has expired, or never was one")
    try:
        stored = await _store(ticket, name, request, platform, limit)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(tickets.give_back, ticket))
        raise
    await asyncio.to_thread(tickets.use_up, ticket)
    await trail.record(f"charge-point {ticket.charge_point_id}", f"diagnostics {stored.file_id}", after=stored)
    return Response(status_code=201)


async def _store(ticket: Ticket, name: str | None, request: Request, platform: Platform, limit: int) -> ReceivedUpload:
    file_id = secrets.token_hex(16)
    path = path_of(platform.settings.data_dir, file_id)
    assert path is not None
    sink = DiskSink(path, limit, _FLOORS * platform.settings.journal.free_space_floor_bytes)
    try:
        form = FormFile() if _boundary(request) else None
        async for chunk in _body(request, form):
            await sink.write(chunk)
        size, sha256 = await sink.finish()
        shown = safe_name((form.name if form else None) or name, f"{ticket.charge_point_id}-{ticket.request_id}.log")
        received = ReceivedUpload(
            charge_point_id=ticket.charge_point_id,
            file_id=file_id,
            name=shown,
            size_bytes=size,
            sha256=sha256,
            request_id=ticket.request_id,
        )
        await platform.record_upload(received)
    except FileTooLarge:
        await sink.discard()
        raise _too_large(limit) from None
    except ClientDisconnect as error:
        await sink.discard()
        raise ApiError(400, "the upload broke off") from error
    except OSError as error:
        await sink.discard()
        log.error("diagnostics of %s could not be stored: %s", ticket.charge_point_id, error.strerror)
        raise ApiError(503, f"the file could not be stored: {error.strerror}", headers={"Retry-After": "60"}) from error
    except BaseException:
        await asyncio.shield(sink.discard())
        raise
    return received


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"an upload may have {limit} bytes (http.max_upload_bytes)")


def _boundary(request: Request) -> bytes | None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return options.get(b"boundary") if kind == b"multipart/form-data" else None


async def _body(request: Request, form: FormFile | None) -> AsyncIterator[bytes]:
    if form is None:
        async for chunk in chunks(request):
            yield chunk
        return
    boundary = _boundary(request)
    assert boundary is not None
    parser = MultipartParser(boundary, form.callbacks())
    try:
        async for chunk in chunks(request):
            parser.write(chunk)
            for piece in form.take():
                yield piece
        parser.finalize()
    except FormParserError as error:
        raise ApiError(400, f"the form cannot be read: {error}") from error
    if not form.found:
        raise ApiError(422, "the form has no file in it")


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes; a sender that falls silent is let go."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(_STALL_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise ApiError(408, f"nothing came for {_STALL_S:.0f} s") from error
        yield chunk


class FormFile:
    """The first file of a form, as it streams in; other fields are passed over."""

    def __init__(self) -> None:
        self.found = False
        self.name: str | None = None
        self._inside = False
        self._field, self._value = bytearray(), bytearray()
        self._pieces: list[bytes] = []

    def callbacks(self) -> MultipartCallbacks:
        """What python_multipart calls."""
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
        }

    def take(self) -> list[bytes]:
        """What came since the last time."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def _part_begin(self) -> None:
        self._field.clear()
        self._value.clear()

    def _header_end(self) -> None:
        if bytes(self._field).lower() == b"content-disposition" and not self.found:
            _, options = parse_options_header(bytes(self._value))
            if b"filename" in options:
                self.found = self._inside = True
                self.name = options[b"filename"].decode("utf-8", "replace")
        self._field.clear()
        self._value.clear()

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._inside:
            self._pieces.append(data[start:end])

    def _part_end(self) -> None:
        self._inside = False
