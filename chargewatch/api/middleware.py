"""What every request meets first: a size limit, a stopwatch, a reading of its path. What every response carries: security headers.

Pure ASGI.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chargenet.ports import Clock
from chargewatch.api.answers import SLASH
from chargewatch.api.problems import MEDIA_TYPE, encode

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_UPLOADS = "/uploads/"
_FIRMWARE = "/api/v1/firmware"


Answered = Callable[[str, str, int, float], None]
"""(method, route template, status, seconds until the answer began): for metrics."""


class Timed:
    """Wraps the application: tells `answered` of every request. A stream counts when it begins, not when it ends."""

    def __init__(self, app: ASGIApp, clock: Clock, answered: Answered, prefix: str) -> None:
        self._app, self._clock, self._answered, self._prefix = app, clock, answered, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()

        async def timed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "no such route")
                if route.startswith("/") and scope["path"].startswith(self._prefix):
                    route = self._prefix + route.removeprefix(self._prefix)
                self._answered(scope["method"], route, message["status"], self._clock.monotonic() - began)
            await send(message)

        await self._app(scope, receive, timed_send)


class WholeParts:
    """Wraps the application: `%2F` belongs to the part that it stands in, for example a charge point id, and parts no paths.

    Servers decode a path before it is routed, after which nobody can tell such a slash from one between two parts.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw = scope.get("raw_path") or b""
        if scope["type"] == "http" and b"%2f" in raw.lower() and scope["path"].startswith(self._prefix):
            path = unquote(re.sub("%2[Ff]", quote(SLASH), raw.decode("ascii", "replace")))
            scope = dict(scope, path=path)
        await self._app(scope, receive, send)


class TooLarge(HTTPException):
    """The body went over the limit while it was read. An HTTPException, because FastAPI turns any other one into 400."""

    def __init__(self, sentence: str) -> None:
        super().__init__(413, sentence)


def _sentence(limit: int) -> str:
    return f"a request body may have {limit} bytes here (http.max_body_bytes)"


class Guard:
    """Wraps the application. Files have their own, larger limits, which their routes check."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app, self._max = app, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                _decorate(MutableHeaders(scope=message))
            await send(message)

        if _has_own_limit(scope):
            await self._app(scope, receive, guarded_send)
        elif _declared_length(scope) > self._max:
            await self._refuse(guarded_send)
        else:
            await self._app(scope, counted(receive, self._max, TooLarge(_sentence(self._max))), guarded_send)

    async def _refuse(self, send: Send) -> None:
        body = encode(413, _sentence(self._max))
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _has_own_limit(scope: Scope) -> bool:
    """Files: their routes read the body piece by piece and end it themselves."""
    path: str = scope["path"]
    return path.startswith(_UPLOADS) or (scope["method"] == "POST" and path == _FIRMWARE)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def counted(receive: Receive, limit: int, too_large: TooLarge) -> Receive:
    """`receive`, which raises once more than `limit` bytes of a body have come."""
    total = 0

    async def counted() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise too_large
        return message

    return counted


def _decorate(headers: MutableHeaders) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    if "content-security-policy" not in headers:  # pages for people have their own
        headers["Content-Security-Policy"] = _NOTHING
    if "cache-control" not in headers:
        headers["Cache-Control"] = "no-store"
