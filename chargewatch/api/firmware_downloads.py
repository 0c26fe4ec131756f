"""Where charge points fetch firmware: GET and HEAD with a one-time token in the path. Decided here: how a delivery becomes an HTTP
answer, and when one that nobody reads is given up. The token is never logged or shown in an error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chargewatch.api.auth import At
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from firmware_orchestrator.artifacts import ROUTE
from firmware_orchestrator.downloads import Delivery, Refused

log = logging.getLogger(__name__)
router = APIRouter(prefix=ROUTE, tags=["firmware downloads"])

Token = Annotated[str, Path(max_length=200, description="The one-time token of the download address.")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/octet-stream": {}}},
    206: {"description": "The wanted part of it.", "content": {"application/octet-stream": {}}},
}
_HEAD: dict[int | str, dict[str, Any]] = {200: {"description": "The headers of the file."}}
STALL_S = 60.0


@router.get("/{token}", response_class=Response, responses=_FILE)
async def download(token: Token, request: Request, platform: At) -> Response:
    """Fetch a firmware file. Knows Range, If-Range and ETag; a download that broke off goes on where it was."""
    return await begin(token, request, platform)


@router.head("/{token}", response_class=Response, responses=_HEAD)
async def look(token: Token, platform: At) -> Response:
    """What a GET would answer; nothing is used up by asking."""
    try:
        return Response(headers=await platform.firmware.downloads.head(token))
    except Refused as refused:
        raise _problem(refused) from refused


@router.get("/{token}/{name:path}", response_class=Response, responses=_FILE)
async def download_named(token: Token, name: str, request: Request, platform: At) -> Response:
    """As above; some charge points want a file name at the end of the address."""
    return await begin(token, request, platform)


async def begin(token: str, request: Request, platform: Platform) -> Response:
    """The answer, its bytes still to be sent."""
    try:
        delivery = await platform.firmware.downloads.begin(token, request.headers.get("range"), request.headers.get("if-range"))
    except Refused as refused:
        raise _problem(refused) from refused
    return DeliveryResponse(delivery)


class DeliveryResponse(Response):
    """Sends a delivery; notes how far it came, however it ends."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(status_code=delivery.status, headers=delivery.headers)
        self._delivery = delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(_until_gone(receive, gone))
                try:
                    await self._send(send, gone)
                finally:
                    watching.cancel()
        finally:
            await asyncio.shield(self._delivery.finish())

    async def _send(self, send: Send, gone: asyncio.Event) -> None:
        delivery = self._delivery
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(delivery.pieces()) as pieces:
            try:
                async for piece in pieces:
                    if gone.is_set():
                        return
                    async with asyncio.timeout(STALL_S):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if gone.is_set():  # what was written to a closed connection did not leave
                        return
            except TimeoutError:
                log.info("a download of charge point %s stood still for %.0f s", delivery.grant.charge_point_id, STALL_S)
                return
            except OSError:  # the server's word for a connection that is gone
                return
        if delivery.whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _until_gone(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _problem(refused: Refused) -> ApiError:
    return ApiError(refused.status, str(refused), headers=refused.headers)
