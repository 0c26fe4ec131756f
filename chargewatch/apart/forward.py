"""The API of programs apart, through the collector's listener. Decided here: which paths are whose, and what is passed on.

The collector knows the API keys and who calls: it passes on the key that it found and the caller's address, and the program
believes both because the request carries the token of the platform's processes. A program's own listener serves nobody else, but
for the probes.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import quote

import httpx
import msgspec
from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from chargenet.model.key import Key
from chargenet.ports import Clock
from chargenet.settings import Secret
from chargenet.stores import KeyRing
from chargewatch.apart.door import carries, header
from chargewatch.apart.wire import CLIENT_HEADER, KEY_HEADER, TOKEN_HEADER
from chargewatch.api.auth import PASSED_ON
from chargewatch.api.problems import MEDIA_TYPE, encode

log = logging.getLogger(__name__)

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "proxy-authorization", "host", "date", "server"}
)
_OURS = frozenset({TOKEN_HEADER.lower(), CLIENT_HEADER.lower(), KEY_HEADER.lower()})
CONNECT_S, STALL_S = 5.0, 120.0
"""How long a program may take to accept, and then between two pieces: a comparison of tariffs computes for a minute."""


class Whose:
    """Which program answers a path. `routers`: program → its routers, which hang under `prefix` where `under` says so."""

    def __init__(self, routers: Mapping[str, Sequence[tuple[str, APIRouter]]]) -> None:
        self._routes = [
            (name, prefix, route)
            for name, parts in routers.items()
            for prefix, router in parts
            for route in router.routes
            if isinstance(route, APIRoute)
        ]

    def find(self, path: str, method: str) -> tuple[str, APIRoute] | None:
        """The program and its route; None for the collector's own paths."""
        found = None
        for name, prefix, route in self._routes:
            if path.startswith(prefix) and route.path_regex.match(path[len(prefix) :]):
                if method in (route.methods or ()):
                    return name, route
                found = found or (name, route)
        return found


class PassedOn:
    """Wraps the collector's application: what belongs to a program apart goes there."""

    def __init__(self, app: ASGIApp, whose: Whose, apart: Mapping[str, str], token: Secret, keys: KeyRing, clock: Clock) -> None:
        self._app, self._whose, self._apart, self._token, self._keys, self._clock = app, whose, apart, token, keys, clock
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(STALL_S, connect=CONNECT_S), trust_env=False, limits=httpx.Limits(max_connections=500)
        )
        del self._client.headers["accept-encoding"]  # the caller's own or none: the answer is passed on as it comes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            async with self._client:
                await self._app(scope, receive, send)
            return
        found = self._whose.find(scope["path"], scope["method"]) if scope["type"] == "http" else None
        if found is None or found[0] not in self._apart:
            await self._app(scope, receive, send)
            return
        program, route = found
        scope["route"] = route
        response = await self._passed_on(program, Request(scope, receive))
        await response(scope, receive, send)

    async def _passed_on(self, program: str, request: Request) -> Response:
        asked = self._client.build_request(
            request.method,
            self._apart[program],
            headers=self._headers(request),
            content=_body(request) if _has_body(request) else None,
            extensions={"target": _target(self._apart[program], request.scope)},
        )
        try:
            answer = await self._client.send(asked, stream=True)
        except ClientDisconnect:
            return Response(status_code=499)
        except HTTPException as error:  # the body went over a limit while it was read
            return Response(encode(error.status_code, error.detail), error.status_code, media_type=MEDIA_TYPE)
        except httpx.HTTPError as error:
            return _problem(program, error)
        return Passed(answer)

    def _headers(self, request: Request) -> list[tuple[bytes, bytes]]:
        named = {each.strip().lower() for each in request.headers.get("connection", "").split(",")}
        left_out = _HOP | _OURS | named
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in left_out]
        address = request.client.host if request.client else "unknown"
        headers.append((TOKEN_HEADER.encode(), self._token.reveal().encode()))
        headers.append((CLIENT_HEADER.encode(), address.encode()))
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        key = self._keys.authenticate(secret.strip(), self._clock.now()) if scheme.lower() == "bearer" and secret else None
        if key is not None:
            headers.append((KEY_HEADER.encode(), msgspec.json.encode(key)))
        return headers


class Behind:
    """Wraps a program's application: requests come through the collector, which has looked at who asks."""

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PROBES:
            if not carries(scope, self._token):
                text = "this program is reached through the collector's address"
                await Response(encode(421, text), 421, media_type=MEDIA_TYPE)(scope, receive, send)
                return
            key, client = header(scope, KEY_HEADER), header(scope, CLIENT_HEADER).decode("latin-1")
            scope = {**scope, "client": (client, 0), PASSED_ON: msgspec.json.decode(key, type=Key) if key else None}
        await self._app(scope, receive, send)


async def _body(request: Request) -> AsyncIterator[bytes]:
    async for piece in request.stream():
        if piece:
            yield piece


class Passed(StreamingResponse):
    """A program's answer, piece by piece: what the caller does not read is not fetched; when it leaves, the program sees that."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.aiter_raw(), answer.status_code, _kept(answer.headers))
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except httpx.HTTPError as error:  # the program ended in the middle: so does the answer
            log.warning("a program ended in the middle of an answer: %s", error or type(error).__name__)
        finally:
            await self._answer.aclose()


def _target(base: str, scope: Scope) -> bytes:
    """The path and the query as they came. An URL library would take `/..` out of them, and the request would end up elsewhere."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    query = scope.get("query_string", b"")
    return httpx.URL(base).raw_path.rstrip(b"/") + raw + (b"?" + query if query else b"")


def _has_body(request: Request) -> bool:
    return request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers


def _kept(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _HOP}


def _problem(program: str, error: httpx.HTTPError) -> Response:
    text = f"the {program} program does not answer: {error or type(error).__name__}; try again, and look at its log"
    return Response(encode(503, text), 503, {"Retry-After": "5"}, media_type=MEDIA_TYPE)
