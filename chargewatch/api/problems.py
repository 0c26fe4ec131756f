"""Every error as RFC 9457 problem details. Decided here: the status of each error, and that an unexpected one tells nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chargenet.errors import ChargewatchError, Conflict, InvalidCall, InvalidFile, NotFound, NotPermitted, Unavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_STATUS: tuple[tuple[type[ChargewatchError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (InvalidCall, 422),
    (InvalidFile, 422),
    (NotPermitted, 403),
    (Unavailable, 503),
    (ChargewatchError, 500),
)
_TITLES = {
    400: ("bad-request", "The request cannot be understood"),
    401: ("key-needed", "A valid API key is needed"),
    403: ("not-permitted", "The key may not do this"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "The resource does not know this method"),
    408: ("too-slow", "The request took too long"),
    409: ("conflict", "The request contradicts the present state"),
    410: ("gone", "It is no longer there"),
    411: ("length-required", "The length must be given"),
    413: ("too-large", "The request is too large"),
    415: ("media-type", "The request has the wrong media type"),
    422: ("invalid", "The request is not valid"),
    429: ("too-many", "Too many requests"),
    500: ("internal", "The platform failed"),
    503: ("unavailable", "The platform cannot do this now"),
    504: ("timed-out", "The charge point did not answer in time"),
}


class ProblemField(msgspec.Struct, frozen=True):
    """One wrong part of a request: where it is, and what is wrong with it."""

    location: str
    problem: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str = ""
    instance: str = ""
    errors: tuple[ProblemField, ...] = ()
    """For 422: every wrong part of the request."""
    outcome: Any = None
    """For calls to charge points: how the call ended."""


class ApiError(Exception):
    """A refusal that is decided by a route: status, a sentence, and members to add."""

    def __init__(self, status: int, detail: str, *, outcome: Any = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.outcome, self.headers = status, detail, outcome, dict(headers or {})


def respond(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: tuple[ProblemField, ...] = (),
    outcome: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response of one problem. The path is shown only under /api: upload paths carry a secret."""
    instance = request.url.path if request.url.path.startswith("/api/") else ""
    return Response(encode(status, detail, instance, errors, outcome), status, dict(headers or {}), MEDIA_TYPE)


def encode(status: int, detail: str, instance: str = "", errors: tuple[ProblemField, ...] = (), outcome: Any = None) -> bytes:
    """A problem as JSON."""
    slug, title = _TITLES.get(status, ("other", "The request failed"))
    problem = Problem(
        type=f"urn:chargewatch:problem:{slug}",
        title=title,
        status=status,
        detail=detail,
        instance=instance,
        errors=errors,
        outcome=outcome,
    )
    return msgspec.json.encode(problem)


def status_of(error: ChargewatchError) -> int:
    """The HTTP status that an error of ours means."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, ChargewatchError)
    status = status_of(error)
    return respond(request, status, str(error), headers={"Retry-After": "5"} if status == 503 else None)


async def _decided(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return respond(request, error.status, error.detail, outcome=error.outcome, headers=error.headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return respond(request, error.status_code, str(error.detail), headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = tuple(ProblemField(".".join(str(part) for part in each["loc"]), each["msg"]) for each in error.errors())
    return respond(request, 422, "; ".join(f"{each.location}: {each.problem}" for each in fields), errors=fields)


async def _unexpected(request: Request, error: Exception) -> Response:
    route = request.scope.get("route")
    log.error("unexpected error in %s %s", request.method, getattr(route, "path", "?"), exc_info=error)
    return respond(request, 500, "an unexpected error; the platform's log has it")


def install(app: FastAPI) -> None:
    """Make every error leave as problem details."""
    app.add_exception_handler(ChargewatchError, _ours)
    app.add_exception_handler(ApiError, _decided)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)
