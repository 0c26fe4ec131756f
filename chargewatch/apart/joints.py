"""Joins the doors to what is behind them. Decided here: what each process offers to which other, and on which listener."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chargenet.settings import Secret, Settings
from chargewatch.apart.door import CollectorDoor, NoticesDoor, answered, door
from chargewatch.apart.forward import Behind, PassedOn, Whose
from chargewatch.apart.wire import DOOR, encode
from chargewatch.api.app import OF_PROGRAMS, Elsewhere
from chargewatch.programs import ALERTS
from chargewatch.web import Web

if TYPE_CHECKING:
    from chargewatch.apart.program import ProgramProcess
    from chargewatch.platform import RunningPlatform


def elsewhere(platform: RunningPlatform) -> Elsewhere | None:
    """What sends requests to programs apart; None where all are here."""
    chosen = platform.settings.programs
    if not chosen.apart:
        return None
    return functools.partial(
        PassedOn, whose=Whose(OF_PROGRAMS), apart=chosen.apart, token=token_of(platform.settings), keys=platform.keys,
        clock=platform.clock,
    )  # fmt: skip


def collector_door(platform: RunningPlatform) -> ASGIApp:
    """What the collector offers to programs apart."""
    made = CollectorDoor(
        platform.journal, platform.feed, platform.gateway, platform.telemetry, platform.beats, lambda: platform.registrations
    )
    routes = made.routes + (NoticesDoor(platform.relay).routes if ALERTS in platform.here else [])
    return Inner(door(routes, token_of(platform.settings)), None)


def program_door(process: ProgramProcess, api: ASGIApp) -> ASGIApp:
    """What a program offers: its part of the API to the collector, its health, and the relay where it has one."""

    async def checks(_: Request) -> bytes:
        return encode(await process.health())

    routes = [Route("/checks", answered(checks))]
    if ALERTS in process.here:
        routes += NoticesDoor(process.relay).routes
    token = token_of(process.settings)
    return Inner(door(routes, token), Behind(api, token))


class Inner:
    """One listener: the door under its path, everything else (and the lifespan) the API, where there is one."""

    def __init__(self, inner: ASGIApp, api: ASGIApp | None) -> None:
        self._door, self._api = Mount(DOOR, app=inner), api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(DOOR + "/"):
            scope = {**scope, **self._door.matches(scope)[1]}
            await self._door.handle(scope, receive, send)
        elif self._api is not None:
            await self._api(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await _live(receive, send)


async def _live(receive: Receive, send: Send) -> None:
    """The lifespan of an application that has nothing to prepare."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def inner_web(app: ASGIApp, settings: Settings) -> Web:
    """The listener for the other processes. Raises OSError."""
    return Web(app, msgspec.structs.replace(settings.http, listen=settings.programs.listen, tls_cert=None, tls_key=None))


def token_of(settings: Settings) -> Secret:
    """The settings are checked: who has programs apart has it."""
    assert settings.programs.token is not None
    return settings.programs.token
