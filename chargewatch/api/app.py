"""The HTTP application. Decided here: which routers there are, and what the OpenAPI document says of all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp

from chargewatch import programs
from chargewatch.api import (
    alertmanager,
    audit,
    calls,
    case_links,
    cases,
    cdrs,
    charge_points,
    connectors,
    customers,
    delivered,
    deliveries,
    diagnostics,
    docs_page,
    firmware,
    firmware_downloads,
    frames,
    keys,
    maintenance,
    meter_keys,
    open_alerts,
    payments,
    probes,
    problems,
    reports,
    rollout_links,
    rollouts,
    runbooks,
    silences,
    sites,
    statement_documents,
    statements,
    stream,
    tariff_compare,
    tariffs,
    telemetry,
    tokens,
    transactions,
    uploads,
)
from chargewatch.api.answers import components, only_known_parameters, schema_of
from chargewatch.api.auth import FailureLimit, Needs
from chargewatch.api.files import folder_of
from chargewatch.api.middleware import Answered, Guard, Timed, WholeParts
from chargewatch.api.platform import Platform
from chargewatch.api.problems import Problem
from chargewatch.api.tickets import Tickets
from chargewatch.api.trail import Audited
from chargewatch.firmware_files import prepare

PREFIX = "/api/v1"
COLLECTOR = "collector"
HERE = programs.ALL | {COLLECTOR}
Elsewhere = Callable[[ASGIApp], ASGIApp]
ROUTERS = (
    charge_points.router,
    frames.router,
    calls.router,
    connectors.router,
    sites.router,
    transactions.router,
    telemetry.router,
    diagnostics.router,
    firmware.router,
    rollouts.router,
    tokens.router,
    keys.router,
    audit.router,
    stream.router,
    cases.router,
    maintenance.router,
    tariffs.router,
    tariff_compare.router,
    customers.router,
    meter_keys.router,
    cdrs.router,
    statements.router,
    statement_documents.router,
    payments.router,
    silences.router,
    deliveries.router,
    open_alerts.router,
    alertmanager.router,
    delivered.router,
    reports.router,
    probes.api_router,
)
OF_PROGRAMS: dict[str, tuple[tuple[str, APIRouter], ...]] = {
    programs.ALERTS: (
        (PREFIX, cases.router),
        (PREFIX, maintenance.router),
        (PREFIX, silences.router),
        (PREFIX, deliveries.router),
        (PREFIX, open_alerts.router),
        (PREFIX, alertmanager.router),
        ("", case_links.router),
    ),
    programs.FIRMWARE: (
        (PREFIX, firmware.router),
        (PREFIX, rollouts.router),
        ("", firmware_downloads.router),
        ("", rollout_links.router),
    ),
    programs.BILLING: (
        (PREFIX, tariffs.router),
        (PREFIX, tariff_compare.router),
        (PREFIX, customers.router),
        (PREFIX, meter_keys.router),
        (PREFIX, cdrs.router),
        (PREFIX, statements.router),
        (PREFIX, statement_documents.router),
        (PREFIX, payments.router),
        (PREFIX, delivered.router),
        (PREFIX, reports.router),
    ),
}
"""Where each router hangs that a program answers; all others are the collector's."""
_DESCRIPTION = """
Everything chargewatch knows of a charging network, and every call it can send to a charge point.

Send `Authorization: Bearer KEY`; `chargewatch keys create NAME --role viewer` makes a key. Instants are ISO 8601 in UTC. Lists come
in pages: pass `next_cursor` back as `cursor` until it is null. Every error is an RFC 9457 problem (`application/problem+json`).
"""


def create_app(
    platform: Platform, answered: Answered | None = None, *, here: Collection[str] = HERE, elsewhere: Elsewhere | None = None
) -> FastAPI:
    """The application over a running platform; `answered` is told of every request.

    Its lifespan prepares the folders of those `here`, everything else is the platform's. `elsewhere` wraps what answers, so that
    requests to programs in other processes go there.
    """

    http = platform.settings.http
    app = FastAPI(
        title="chargewatch",
        version=version("chargewatch"),
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        lifespan=lambda app: _prepared(app, platform, here),
    )
    app.state.platform = platform
    app.state.failures = FailureLimit(http.failed_keys, http.failed_keys_window_s)
    app.state.streams = stream.Slots(http.max_streams)
    app.state.registrations = asyncio.Lock()
    app.state.tickets = Tickets(folder_of(platform.settings.data_dir) / "tickets")
    problems.install(app)
    if elsewhere is not None:
        app.add_middleware(elsewhere)
    app.add_middleware(WholeParts, prefix=PREFIX)
    app.add_middleware(Guard, max_body_bytes=http.max_body_bytes)
    if answered is not None:
        app.add_middleware(Timed, clock=platform.clock, answered=answered, prefix=PREFIX)
    _include(app)
    app.add_route("/docs", _docs, include_in_schema=False)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]  # how FastAPI says to extend the document
    return app


@asynccontextmanager
async def _prepared(app: FastAPI, platform: Platform, here: Collection[str]) -> AsyncIterator[None]:
    """The lifespan: folders of those who are here."""
    if COLLECTOR in here:
        await asyncio.to_thread(app.state.tickets.prepare)
    if programs.FIRMWARE in here:
        await asyncio.to_thread(prepare, platform.firmware.shelf)
    yield


async def _docs(request: Request) -> Response:
    """The document as a page."""
    return HTMLResponse(docs_page.page(request.app.openapi()), headers={"Content-Security-Policy": docs_page.POLICY})


def _include(app: FastAPI) -> None:
    described: dict[int | str, dict[str, Any]] = {
        "default": {"description": "A problem.", "content": {problems.MEDIA_TYPE: {"schema": schema_of(Problem)}}}
    }
    versioned = APIRouter(prefix=PREFIX, responses=described, dependencies=[Depends(only_known_parameters)])
    for router in ROUTERS:
        versioned.include_router(router)
    app.include_router(versioned)
    app.include_router(probes.router, responses=described)
    app.include_router(uploads.router, responses=described)
    app.include_router(firmware_downloads.router, responses=described)
    app.include_router(case_links.router)
    app.include_router(runbooks.router, responses=described)
    app.include_router(rollout_links.router)


def _document(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, the schemas of our own types added, and each operation's permission said."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            license_info=app.license_info,
            routes=app.routes,
        )
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(components())
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        for rule in rules():
            if rule.needs is not None:
                operation = document["paths"][rule.path][rule.method.lower()]
                operation["security"] = [{"key": []}]
                operation["description"] = f"{operation.get('description', '')}\n\nNeeds the permission `{rule.needs.permission}`."
        app.openapi_schema = document
    return app.openapi_schema


class Rule(msgspec.Struct, frozen=True):
    """One method of one route: what a key needs for it, and how the audit log calls it."""

    method: str
    path: str
    needs: Needs | None
    audited: Audited | None


def rules() -> Iterator[Rule]:
    """Every route that the application has, from the routes themselves."""
    own = (probes.router, uploads.router, firmware_downloads.router, runbooks.router, case_links.router, rollout_links.router)
    for prefix, routers in ((PREFIX, ROUTERS), ("", own)):
        for route in (each for router in routers for each in router.routes):
            assert isinstance(route, APIRoute)
            calls = [dependency.call for dependency in route.dependant.dependencies]
            needs = next((call for call in calls if isinstance(call, Needs)), None)
            audited = next((call for call in calls if isinstance(call, Audited)), None)
            for method in sorted(route.methods or ()):
                yield Rule(method, prefix + route.path, needs, audited)
