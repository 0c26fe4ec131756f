"""Where Alertmanager calls, and where a person tries a receiver. Decided here: who may call, and what is answered.

Alertmanager repeats a call that is answered with 5xx and forgets one that is answered with 4xx: what cannot be stored is 503.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from alerts.relay.alertmanager import BadPayload
from chargenet.model.key import Key
from chargenet.model.words import Role
from chargewatch.api.answers import json, returns
from chargewatch.api.auth import At, CaseManager, Needs, Principal, is_token, platform_of
from chargewatch.api.permissions import Permission
from chargewatch.api.problems import ApiError
from chargewatch.api.trail import Audited, Trail

router = APIRouter(prefix="/alerts", tags=["alerts"])
ReceiverName = Annotated[str, Path(min_length=1, max_length=64, description="A receiver of alerts.toml.", examples=["night"])]


class NeedsOrToken(Needs):
    """A key with the permission, or the token that the settings name for this purpose alone."""

    async def __call__(self, request: Request) -> Principal:
        platform = platform_of(request)
        if is_token(request, platform.settings.alerts.alertmanager_token):
            now = platform.clock.now()
            return Principal(Key(key_id="-", name="alertmanager", role=Role.OPERATOR, created_at=now))
        return await super().__call__(request)


Caller = Annotated[Principal, Depends(NeedsOrToken(Permission.MANAGE_CASES))]


class Taken(msgspec.Struct, frozen=True):
    """`alerts` were in the call; `news` of them said something that was not known."""

    alerts: int
    news: int


class Queued(msgspec.Struct, frozen=True):
    """The test is in the outbox; `/deliveries/{message_id}` says what becomes of it."""

    message_id: str
    receiver: str


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}


@router.post("/alertmanager", responses=returns(Taken, "Stored; it will be told."), openapi_extra=_BODY)
async def take_alerts(
    request: Request, who: Caller, platform: At, trail: Annotated[Trail, Depends(Audited("alerts.take"))]
) -> Response:
    """The webhook of Alertmanager (payload version 4). Audited where it brought news; a repeat changes nothing."""
    try:
        taken = await platform.relay.intake_alertmanager(await request.body())
    except BadPayload as error:
        raise ApiError(422, str(error)) from None
    if taken.news:
        await trail.record(who.who, f"alert group {taken.group}", after={"alerts": taken.alerts, "news": taken.news})
    return json(Taken(taken.alerts, taken.news))


@router.post("/test/{receiver}", status_code=202, responses=returns(Queued, "The test is on its way.", 202))
async def test_receiver(
    receiver: ReceiverName, who: CaseManager, platform: At, trail: Annotated[Trail, Depends(Audited("alerts.test"))]
) -> Response:
    """Send a marked test to one receiver, on the way that alerts take. It is tried once."""
    known = platform.relay.config.receivers
    if receiver not in known:
        defined = ", ".join(known) or "none, there is no alerts.toml"
        raise ApiError(404, f"receiver {receiver!r} is not defined; defined are: {defined}")
    message_id = await platform.relay.test(receiver, who.who)
    await trail.record(who.who, f"receiver {receiver}", after={"message_id": message_id})
    return json(Queued(message_id, receiver), 202)
