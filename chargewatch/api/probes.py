"""Is it alive, is it ready, and its metrics. Decided here: what an orchestrator should do (live: restart; ready: route traffic)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from fastapi import APIRouter, Depends
from starlette.responses import Response

from chargewatch.api.answers import json, returns
from chargewatch.api.auth import At, Reader, open_or_key
from chargewatch.api.platform import HealthCheck

router = APIRouter(tags=["health"], dependencies=[Depends(open_or_key)])
api_router = APIRouter(tags=["health"])

_METRICS = "text/plain; version=0.0.4; charset=utf-8"


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """`status` is `ready`, or `not ready` with a sentence for each critical check that fails."""

    status: str
    reasons: list[str]


class Health(msgspec.Struct, frozen=True):
    """Every check. `status`: ok, degraded (something fails that frames do not wait for) or failing."""

    status: str
    checks: Sequence[HealthCheck]


@router.get("/healthz", responses=returns(Alive, "The event loop runs."))
async def alive() -> Response:
    """Liveness: restart the process when this does not answer."""
    return json(Alive("ok"))


@router.get("/readyz", responses={**returns(Readiness, "Frames can be acknowledged."), **returns(Readiness, "They cannot.", 503)})
async def ready(platform: At) -> Response:
    """Readiness: 503, with the reasons, while frames cannot be acknowledged or the platform is closing."""
    checks = await platform.health(critical_only=True)
    reasons = [f"{check.name}: {check.detail}" for check in checks if check.critical and not check.ok]
    if platform.closing:
        reasons.append("the platform is closing")
    return json(Readiness("not ready" if reasons else "ready", reasons), 503 if reasons else 200)


@router.get("/metrics", responses={200: {"description": "Prometheus text format.", "content": {"text/plain": {}}}})
async def metrics(platform: At) -> Response:
    """Everything Prometheus scrapes; `docs/metrics.md` has every name."""
    return Response(await platform.metrics(), media_type=_METRICS)


@api_router.get("/health", responses=returns(Health, "Every check, also the failing ones."))
async def health(_: Reader, platform: At) -> Response:
    """What works and what does not. Always 200: the answer is the body."""
    checks = await platform.health()
    bad = [check for check in checks if not check.ok]
    status = "failing" if any(check.critical for check in bad) else "degraded" if bad else "ok"
    return json(Health(status, checks))
