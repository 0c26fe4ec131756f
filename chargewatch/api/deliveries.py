"""What was sent to whom, and what became of it: the outbox and the log of attempts, over HTTP. No secret is in either."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from alerts.relay.rows import Delivery, Sent, State
from chargenet.errors import NotFound
from chargenet.stores import MAX_LIMIT, Page
from chargewatch.api.answers import Cursor, Limit, Text, filter_text, json, returns
from chargewatch.api.auth import At, Reader

router = APIRouter(prefix="/deliveries", tags=["alerts"])
MessageId = Annotated[str, Path(min_length=1, max_length=100, description="The id of the message: `webhook-id` of a webhook.")]


class DeliveryFile(msgspec.Struct, frozen=True):
    """A message to one receiver, and every attempt to deliver it, oldest first."""

    delivery: Sent
    attempts: Sequence[Delivery]


@router.get("", responses=returns(Page[Sent], "Messages, newest first."))
async def list_deliveries(
    _: Reader,
    platform: At,
    receiver: Annotated[Text | None, filter_text("Only to this receiver.", 64)] = None,
    state: Annotated[State | None, Query(description="Only what waits, was delivered, refused or given up.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """What was, or is to be, told: one item for each receiver and change of a group, with its attempts and its last error."""
    page = platform.relay.store.sent
    return json(await page(receiver=receiver, state=state.value if state else None, cursor=cursor, limit=limit))


@router.get("/{message_id}", responses=returns(DeliveryFile, "The message and its attempts."))
async def show_delivery(message_id: MessageId, _: Reader, platform: At) -> Response:
    """One message, with up to 1,000 of its latest attempts."""
    store = platform.relay.store
    found = (await store.sent(message_id=message_id, limit=1)).items
    if not found:
        raise NotFound("message", message_id)
    attempts = (await store.deliveries(message_id=message_id, limit=MAX_LIMIT)).items
    return json(DeliveryFile(found[0], attempts[::-1]))
