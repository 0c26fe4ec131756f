"""What the relay holds open, and why somebody was told of it or was not; taking and ending one. Cases have more at /cases."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from alerts.links import Purpose
from alerts.relay.book import Book
from alerts.stages.alert import Alert
from chargenet.model.record import microseconds
from chargenet.storage import paging
from chargenet.stores import Page
from chargewatch.api.answers import Cursor, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import At, CaseManager, Principal, Reader
from chargewatch.api.platform import Platform
from chargewatch.api.trail import Audited, Trail
from chargewatch.shapes import OpenAlert, ToldTo

router = APIRouter(prefix="/alerts", tags=["alerts"])


class AlertBody(BaseModel):
    """Which alert, and what others should know."""

    model_config = ConfigDict(extra="forbid")
    key: Text = Field(min_length=1, max_length=1000, examples=["alertmanager/5f2b/9a1c"])
    note: Text = Field("", max_length=1000, examples=["On my way."])


@router.get("", responses=returns(Page[OpenAlert], "Open alerts, those that came last first."))
async def list_alerts(
    _: Reader,
    platform: At,
    severity: Annotated[Text | None, filter_text("Only critical, warning or info.", 16)] = None,
    source: Annotated[Text | None, filter_text("Only from alerts, firmware, billing, relay or alertmanager.", 32)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What is open, whether it is told, and to whom; or what keeps it quiet."""
    await platform.relay.start()
    book, before = platform.relay.book, paging.decode(cursor, int, str)
    every = list(book.alerts.values())

    def chosen() -> list[Alert]:
        fits = (
            alert
            for alert in every
            if not alert.is_over
            and severity in (None, alert.notice.severity)
            and source in (None, alert.notice.source)
            and (before is None or _place(alert) < before)
        )
        return sorted(fits, key=_place, reverse=True)

    rows = [alert for alert in await asyncio.to_thread(chosen) if not book.is_kept(alert)]
    page = paging.page(rows[: limit + 1], limit, _place)
    return json(Page([_shown(book, alert, platform.clock.now()) for alert in page.items], page.next_cursor))


@router.post("/acknowledge", responses=returns(OpenAlert, "The alert, taken."))
async def acknowledge_alert(
    body: AlertBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("alerts.acknowledge"))]
) -> Response:
    """Take an alert: it is not repeated, and its receivers hear who has it in hand. A case behind it is taken with it."""
    return await _act(Purpose.ACKNOWLEDGE, body, who, platform, trail)


@router.post("/resolve", responses=returns(OpenAlert, "The alert, resolved."))
async def resolve_alert(
    body: AlertBody, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("alerts.resolve"))]
) -> Response:
    """End an alert by hand; what its source still says comes back."""
    return await _act(Purpose.RESOLVE, body, who, platform, trail)


async def _act(purpose: Purpose, body: AlertBody, who: Principal, platform: Platform, trail: Trail) -> Response:
    before, after = await platform.relay.actions.act_on(body.key, purpose, who.who, body.note)
    await trail.record(who.who, f"alert {body.key}", before=_short(before), after=_short(after) | {"note": body.note})
    return json(_shown(platform.relay.book, after, platform.clock.now()))


def _place(alert: Alert) -> tuple[int, str]:
    return microseconds(alert.taken_at), alert.key


def _short(alert: Alert) -> dict[str, object]:
    notice = alert.notice
    return {"title": notice.title, "acknowledged_by": notice.acknowledged_by, "resolved_at": notice.resolved_at}


def _shown(book: Book, alert: Alert, now: datetime) -> OpenAlert:
    whole, told = book.whole(alert), []
    for place in book.places_of(alert.key):
        known = book.told.get(place)
        if known is not None and alert.key in known.told:
            told.append(ToldTo(place.receiver, known.status, known.told_at))
    notice = whole.notice
    return OpenAlert(
        key=alert.key,
        source=notice.source,
        kind=notice.kind,
        severity=notice.severity,
        title=notice.title,
        labels=alert.labels,
        began_at=notice.began_at,
        acknowledged_at=notice.acknowledged_at,
        acknowledged_by=notice.acknowledged_by,
        muted_by=book.muted_by(alert, now),
        told_to=told,
    )
