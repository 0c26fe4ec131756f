"""The live event stream (Server-Sent Events). Decided here: one message per fact, resumable by its sequence, bounded in number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from chargenet.events import Event, Fact
from chargenet.model.ids import IdToken
from chargenet.model.measurement import as_list
from chargewatch.api.answers import Text, UsableName
from chargewatch.api.auth import At, Principal, Reader
from chargewatch.api.permissions import Permission
from chargewatch.api.platform import Platform
from chargewatch.api.problems import ApiError
from chargewatch.hidden import without_secrets

router = APIRouter(prefix="/events", tags=["events"])

HEARTBEAT_S = 15.0
_POLL_S = 1.0
_BATCH = 200
EVENT_TYPES = frozenset(kind.__name__ for kind in Event.__subclasses__())


class Slots:
    """How many streams may be open at once."""

    def __init__(self, limit: int) -> None:
        self._limit, self.open = limit, 0

    def take(self) -> None:
        """Raises ApiError 503 when all are taken."""
        if self.open >= self._limit:
            raise ApiError(503, f"{self._limit} event streams are open already (http.max_streams)", headers={"Retry-After": "10"})
        self.open += 1

    def give_back(self) -> None:
        self.open -= 1


class Filter(msgspec.Struct, frozen=True):
    """Which facts, and which of their events; empty means all."""

    charge_points: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()

    def chosen(self, fact: Fact) -> tuple[Event, ...]:
        if self.charge_points and fact.charge_point_id not in self.charge_points:
            return ()
        return tuple(event for event in fact.events if not self.types or type(event).__name__ in self.types)


@router.get(
    "",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Facts as they become durable.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    },
)
async def stream_events(
    request: Request,
    who: Reader,
    platform: At,
    charge_point: Annotated[list[UsableName], Query(max_length=100, description="Only these.")] = [],  # noqa: B006 FastAPI copies it
    type: Annotated[list[Text], Query(max_length=50, description="Only these event types, e.g. StatusReported.")] = [],  # noqa: B006
    after: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="Begin after this sequence; default: only new facts.")
    ] = None,
    last_event_id: Annotated[str | None, Header(description="What a browser sends when it reconnects.")] = None,
) -> Response:
    """One message per fact: `id` is its journal sequence, `data` the fact with its events; a comment every 15 s while quiet.

    A client that reconnects with `Last-Event-ID` misses nothing and gets nothing twice. ID tokens are hashed for viewers.
    """
    unknown = set(type) - EVENT_TYPES
    if unknown:
        raise ApiError(422, f"query.type: {sorted(unknown)[0]!r} is no event type; known are {', '.join(sorted(EVENT_TYPES))}")
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19:
        after = int(last_event_id)
    slots: Slots = request.app.state.streams
    slots.take()
    wanted = Filter(frozenset(charge_point), frozenset(type))
    messages = sse(platform, wanted, who, platform.feed.head if after is None else after)
    return Stream(messages, slots)


class Stream(StreamingResponse):
    """Gives its slot back however it ends, even when the client left before the first byte."""

    def __init__(self, messages: AsyncIterator[bytes], slots: Slots) -> None:
        super().__init__(messages, headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")
        self._slots = slots

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._slots.give_back()


async def sse(platform: Platform, wanted: Filter, who: Principal, after: int) -> AsyncIterator[bytes]:
    """The messages of one stream, until the platform closes."""
    yield b": chargewatch\n\n"
    quiet_since = platform.clock.monotonic()
    while not platform.closing:
        facts = await _next(platform, after)
        await asyncio.sleep(0)  # a stream that catches up from memory would not let others run otherwise
        if facts:
            after = facts[-1].sequence
        message = b"".join(encode(fact, chosen, who) for fact in facts if (chosen := wanted.chosen(fact)))
        now = platform.clock.monotonic()
        if message:
            yield message
        elif now - quiet_since >= HEARTBEAT_S:
            yield b": still here\n\n"
        else:
            continue
        quiet_since = now


async def _next(platform: Platform, after: int) -> Sequence[Fact]:
    """The next facts, or none after a second, so that a closing platform is noticed."""
    try:
        async with asyncio.timeout(_POLL_S):
            return await platform.feed.next(after, _BATCH)
    except TimeoutError:
        return ()


def encode(fact: Fact, events: tuple[Event, ...], who: Principal) -> bytes:
    """One fact as one SSE message."""
    value = without_secrets(msgspec.to_builtins(msgspec.structs.replace(fact, events=events), enc_hook=as_list))
    if not who.may(Permission.READ_EVIDENCE):
        value = without_tokens(value)
    return b"id: %d\nevent: fact\ndata: %s\n\n" % (fact.sequence, msgspec.json.encode(value))


def without_tokens(value: Any) -> Any:
    """A JSON value in which every ID token is replaced by its hash, and payloads kept as they came are left out."""
    if isinstance(value, list | tuple):
        return [without_tokens(each) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {name: without_tokens(each) for name, each in value.items() if name not in ("payload", "data")}
    token = value.get("id_token")
    if isinstance(token, dict):
        shown["id_token"] = {**token, "value": IdToken(str(token["value"])).hashed}
    return shown
