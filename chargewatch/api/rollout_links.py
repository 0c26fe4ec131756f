"""Where the signed links of messages about rollouts lead: one button, no password. Decided here: that looking changes nothing, and
that a link does nothing to a rollout that has moved on since its message was written.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import HTMLResponse, Response

from alerts.links import BadLink
from chargenet.errors import Conflict, NotFound, Unavailable
from chargenet.model.record import microseconds
from chargewatch.api.answers import schema_of
from chargewatch.api.auth import platform_of
from chargewatch.api.link_page import POLICY, refused
from chargewatch.api.problems import MEDIA_TYPE, Problem
from chargewatch.api.rollout_link_page import asking, done
from chargewatch.api.rollouts import Desk
from chargewatch.api.trail import Audited, Trail
from chargewatch.rollout_links import PATH, RolloutClaim, RolloutLinks, RolloutPurpose
from firmware_orchestrator.desk import RolloutDesk
from firmware_orchestrator.rows import Rollout

router = APIRouter(prefix=PATH.rstrip("/"), tags=["links in messages"])

Token = Annotated[str, Path(max_length=800, description="The signed token of the link.")]
WHO = "a link in a message"
MAX_BODY, MAX_WHY = 8192, 1000
_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_PAGES: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page for people.", "content": _HTML},
    422: {"description": "No token is so long.", "content": {MEDIA_TYPE: {"schema": schema_of(Problem)}}},
    "default": {"description": "A page that says why not.", "content": _HTML},
}


def links_of(request: Request) -> RolloutLinks:
    """The links of the running platform."""
    links: RolloutLinks | None = getattr(platform_of(request), "rollout_links", None)
    if links is None:
        raise Unavailable("this platform runs no firmware program")
    return links


Links = Annotated[RolloutLinks, Depends(links_of)]


@router.get("/{token}", response_class=HTMLResponse, responses=_PAGES)
async def show_rollout_link(token: Token, request: Request, links: Links, desk: Desk) -> Response:
    """What the link would do, and a button. Nothing is changed by looking."""
    try:
        claim, rollout = await _meant(token, request, links, desk)
    except (BadLink, Conflict, NotFound, Unavailable) as error:
        return _refusal(error)
    return _page(asking(claim.purpose, rollout))


@router.post("/{token}", response_class=HTMLResponse, responses=_PAGES)
async def use_rollout_link(
    token: Token, request: Request, links: Links, desk: Desk, trail: Annotated[Trail, Depends(Audited("rollouts.link"))]
) -> Response:
    """Approve, resume or abort the rollout of the link. A form field `why` is kept; to go on after a halt it is needed."""
    try:
        claim, _ = await _meant(token, request, links, desk)
        rollout = await _act(claim, desk, await _why(request))
        after = {"purpose": claim.purpose, "state": rollout.state, "sentence": rollout.sentence}
        await trail.record(WHO, f"rollout {rollout.rollout_id}", after=after)
    except (BadLink, Conflict, NotFound, Unavailable) as error:
        return _refusal(error)
    return _page(done(claim.purpose, rollout))


async def _meant(token: str, request: Request, links: RolloutLinks, desk: RolloutDesk) -> tuple[RolloutClaim, Rollout]:
    claim = links.check(token, platform_of(request).clock.now())
    rollout = await desk.store.rollout(claim.rollout_id)
    since_us = 0 if rollout.state_at is None else microseconds(rollout.state_at)
    if claim.since_us not in (0, since_us):
        raise Conflict(f"the rollout has moved on since this message: it is {rollout.state} now")
    return claim, rollout


async def _act(claim: RolloutClaim, desk: RolloutDesk, why: str) -> Rollout:
    if claim.purpose is RolloutPurpose.ABORT:
        return await desk.abort(claim.rollout_id, WHO, why)
    if claim.purpose is RolloutPurpose.APPROVE:
        return await desk.approve(claim.rollout_id, WHO, why)
    return await desk.resume(claim.rollout_id, WHO, why)


async def _why(request: Request) -> str:
    """The form's field; "" without one."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise Conflict("the form is too long")
    fields = parse_qs(bytes(body).decode("utf-8", "replace"), max_num_fields=10)
    return next(iter(fields.get("why", ())), "").strip()[:MAX_WHY]


def _refusal(error: BadLink | Conflict | NotFound | Unavailable) -> Response:
    known = ((Unavailable, 503), (Conflict, 409), (NotFound, 404))
    expired = isinstance(error, BadLink) and error.expired
    status = next((code for kind, code in known if isinstance(error, kind)), 410 if expired else 404)
    return _page(refused(str(error)), status)


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY})
