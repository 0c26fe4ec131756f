"""Connectors: the last that was said of each plug."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from chargenet.model.station import ConnectorState
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import At, Reader

router = APIRouter(prefix="/connectors", tags=["connectors"])


@router.get("", responses=returns(Page[ConnectorState], "Connectors by charge point, EVSE and connector."))
async def list_connectors(
    _: Reader,
    platform: At,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    site_id: Annotated[Text | None, filter_text("Only this site's.")] = None,
    status: Annotated[Text | None, filter_text("Only those in this status, e.g. Faulted.", 64)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Connectors with their status, error and since when."""
    connectors = platform.stores.stations.connectors
    return json(await connectors(charge_point_id=charge_point, site_id=site_id, status=status, cursor=cursor, limit=limit))
