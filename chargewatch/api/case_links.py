"""Where the signed links of messages lead: one button, no password. Decided here: that looking changes nothing.

Mail filters and chats open every link that they see, so GET shows what would be done, and only POST, the page's button, does it.
The token is the permission: it names one thing to do to one group until it expires, and is never logged or shown.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from starlette.responses import HTMLResponse, Response

from alerts.links import PATH, BadLink
from chargenet.errors import Conflict, Unavailable
from chargewatch.api.answers import schema_of
from chargewatch.api.auth import At
from chargewatch.api.link_page import POLICY, asking, done, refused
from chargewatch.api.problems import MEDIA_TYPE, Problem
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix=PATH.rstrip("/"), tags=["links in messages"])

Token = Annotated[str, Path(max_length=600, description="The signed token of the link.")]
_HTML: dict[str, Any] = {"text/html": {"schema": {"type": "string"}}}
_PAGES: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page for people.", "content": _HTML},
    422: {"description": "No token is so long.", "content": {MEDIA_TYPE: {"schema": schema_of(Problem)}}},
    "default": {"description": "A page that says why not.", "content": _HTML},
}


@router.get("/{token}", response_class=HTMLResponse, responses=_PAGES)
async def show_link(token: Token, platform: At) -> Response:
    """What the link would do, and a button. Nothing is changed by looking."""
    try:
        seen = await platform.relay.actions.look(token)
    except (BadLink, Unavailable) as error:
        return _refusal(error)
    return _page(asking(seen, platform.clock.now()))


@router.post("/{token}", response_class=HTMLResponse, responses=_PAGES)
async def use_link(token: Token, platform: At, trail: Annotated[Trail, Depends(Audited("link"))]) -> Response:
    """Acknowledge, silence or resolve what is still open of the link's group."""
    try:
        seen = await platform.relay.actions.act(token)
        if seen.alerts:
            keys = [alert.key for alert in seen.alerts]
            await trail.record(seen.who, f"alerts {keys[0]}", after={"purpose": seen.claim.purpose, "alerts": keys})
    except (BadLink, Conflict, Unavailable) as error:
        return _refusal(error)
    return _page(done(seen, platform.clock.now()))


def _refusal(error: BadLink | Conflict | Unavailable) -> Response:
    status = 503 if isinstance(error, Unavailable) else 409 if isinstance(error, Conflict) else 410 if error.expired else 404
    return _page(refused(str(error)), status)


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY})
