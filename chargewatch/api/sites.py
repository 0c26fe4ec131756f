"""Sites: places with several charge points."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.responses import Response

from chargenet.errors import NotFound
from chargenet.model.station import Site
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Name, Text, json, returns
from chargewatch.api.auth import At, Operator, Reader
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/sites", tags=["sites"])


def _zone(name: str | None) -> str | None:
    if name is not None and name not in available_timezones():
        raise ValueError("expected an IANA time zone, for example Europe/Oslo")
    return name


class SiteBody(BaseModel):
    """Everything about a site but its id."""

    model_config = ConfigDict(extra="forbid")
    name: Text = Field(min_length=1, max_length=255, examples=["Harbour car park"])
    address: Text | None = Field(None, max_length=1000)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    time_zone: Annotated[Text | None, AfterValidator(_zone)] = Field(None, examples=["Europe/Oslo"])


@router.get("", responses=returns(Page[Site], "Sites by id."))
async def list_sites(_: Reader, platform: At, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """All sites."""
    return json(await platform.stores.sites.page(cursor=cursor, limit=limit))


@router.get("/{site_id}", responses=returns(Site, "The site."))
async def show_site(site_id: Name, _: Reader, platform: At) -> Response:
    """One site."""
    site = await platform.stores.sites.get(site_id)
    if site is None:
        raise NotFound("site", site_id)
    return json(site)


@router.put("/{site_id}", responses=returns(Site, "As it is now."))
async def put_site(
    site_id: Name, body: SiteBody, who: Operator, platform: At, trail: Annotated[Trail, Depends(Audited("sites.put"))]
) -> Response:
    """Create a site, or replace everything about it."""
    site = Site(site_id=site_id, **body.model_dump())
    before = await platform.stores.sites.put(site)
    await trail.record(who.who, f"site {site_id}", before=before, after=site)
    return json(site)


@router.delete("/{site_id}", responses=returns(Site, "As it was."))
async def remove_site(
    site_id: Name, who: Operator, platform: At, trail: Annotated[Trail, Depends(Audited("sites.remove"))]
) -> Response:
    """Remove a site to which no charge point belongs."""
    site = await platform.stores.sites.remove(site_id)
    await trail.record(who.who, f"site {site_id}", before=site)
    return json(site)
