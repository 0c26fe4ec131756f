"""What a process of the platform offers to the others. Decided here: which questions there are, and that only the token opens.

The collector offers its journal, its gateway and the states of charge points; whoever hosts the alerts takes in what people should
hear. Nothing here is for people or their keys.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chargenet.errors import InvalidCall, NotFound, Unavailable
from chargenet.model.notice import Notice
from chargenet.ports import CommandGateway, Journal, Notices, States
from chargenet.settings import Secret
from chargewatch.apart.beats import Beats
from chargewatch.apart.wire import (
    CLIENT_HEADER,
    MAX_RECORDS,
    MEDIA_TYPE,
    NO_BEATS,
    TOKEN_HEADER,
    Asked,
    Ended,
    News,
    bounded,
    encode,
)
from chargewatch.api.middleware import TooLarge, counted
from collector.feed import JournalFeed

WAIT_S = 1.0
"""The longest that a follower waits for news."""
MAX_BODY = 16 << 20
_TOO_LARGE = f"a body may have {MAX_BODY} bytes here"


class CollectorDoor:
    """What the collector answers to programs apart."""

    def __init__(
        self,
        journal: Journal,
        feed: JournalFeed,
        gateway: CommandGateway,
        states: States,
        beats: Beats,
        registrations: Callable[[], int],
    ) -> None:
        self._journal, self._feed, self._gateway, self._states = journal, feed, gateway, states
        self._beats, self._registrations = beats, registrations

    @property
    def routes(self) -> list[Route]:
        """For `door`."""
        return [
            Route("/news", answered(self.news)),
            Route("/records", answered(self.records)),
            Route("/records/of", answered(self.records_of)),
            Route("/cursors", answered(self.cursors)),
            Route("/cursors", answered(self.move), methods=["POST"]),
            Route("/commands", answered(self.command), methods=["POST"]),
            Route("/states", answered(self.states)),
        ]

    async def news(self, request: Request) -> bytes:
        """Everything after a position, once there is something; or nothing, after a second."""
        after, beats_after = _number(request, "after"), int(request.query_params.get("beats_after", NO_BEATS))
        await self._something(after)
        # Not the journal's own watermark: it moves at any moment, also between reading and saying how far that was.
        head = self._feed.head
        records = bounded(await asyncio.to_thread(self._journal.read, after, MAX_RECORDS)) if head > after else []
        durable = max(head, records[-1].sequence) if records else head
        beats = [] if beats_after == NO_BEATS else self._beats.after(beats_after)
        return encode(News(self._journal.first_sequence, durable, records, beats, self._beats.upto, self._registrations()))

    async def _something(self, after: int) -> None:
        try:
            async with asyncio.timeout(WAIT_S):
                await self._feed.wait(after)
        except TimeoutError:
            return

    async def records(self, request: Request) -> bytes:
        """A stretch of the journal."""
        limit = min(_number(request, "limit"), MAX_RECORDS)
        return encode(bounded(await asyncio.to_thread(self._journal.read, _number(request, "after"), limit)))

    async def records_of(self, request: Request) -> bytes:
        """Records of one charge point, newest first."""
        before = request.query_params.get("before")

        def read() -> list[object]:
            return list(
                bounded(
                    self._journal.read_charge_point(
                        request.query_params["charge_point"],
                        since_us=_number(request, "since_us"),
                        before=None if before is None else int(before),
                        limit=min(_number(request, "limit"), MAX_RECORDS),
                    )
                )
            )

        return encode(await asyncio.to_thread(read))

    async def cursors(self, request: Request) -> bytes:
        """Where the consumers stand that programs keep here."""
        return encode({name: self._journal.cursor(name) for name in request.query_params.getlist("name")})

    async def move(self, request: Request) -> bytes:
        """Consumers have gone on."""
        for name, sequence in msgspec.msgpack.decode(await request.body(), type=dict[str, int]).items():
            self._journal.set_cursor(name, sequence)
        return encode(None)

    async def command(self, request: Request) -> bytes:
        """Send a command to a charge point."""
        asked = msgspec.msgpack.decode(await request.body(), type=Asked)
        try:
            outcome = await self._gateway.send(asked.charge_point_id, asked.command, timeout_s=asked.timeout_s)
        except InvalidCall as error:
            return encode(Ended(refused=(error.action, error.problem)))
        return encode(Ended(outcome))

    async def states(self, request: Request) -> bytes:
        """State changes of one charge point."""
        query = request.query_params
        start, end = datetime.fromisoformat(query["start"]), datetime.fromisoformat(query["end"])
        return encode(
            await self._states.states(
                query["charge_point"], start, end, kind=query.get("kind"), limit=min(_number(request, "limit"), 10_000)
            )
        )


class NoticesDoor:
    """What the process of the alerts answers: it takes in what people should hear."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    @property
    def routes(self) -> list[Route]:
        """For `door`."""
        return [Route("/notices", answered(self.tell), methods=["POST"])]

    async def tell(self, request: Request) -> bytes:
        """Answers once they are durable."""
        await self._notices.tell(msgspec.msgpack.decode(await request.body(), type=list[Notice]))
        return encode(None)


def door(routes: list[Route], token: Secret) -> ASGIApp:
    """The application behind the token."""
    return Locked(Starlette(routes=routes), token)


class Locked:
    """Wraps an application: only who carries the token is let in, compared in constant time; bodies are bounded.

    What the collector passes on for somebody carries the token too, but is not let in: that is for the API.
    """

    def __init__(self, app: ASGIApp, token: Secret) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not carries(scope, self._token) or header(scope, CLIENT_HEADER):
            await Response("this door is for the processes of the platform: programs.token", 401)(scope, receive, send)
        elif int(header(scope, "content-length") or 0) > MAX_BODY:
            await Response(_TOO_LARGE, 413)(scope, receive, send)
        else:
            await self._app(scope, counted(receive, MAX_BODY, TooLarge(_TOO_LARGE)), send)


def carries(scope: Scope, token: Secret) -> bool:
    """The request has the token of the platform's processes."""
    return hmac.compare_digest(header(scope, TOKEN_HEADER), token.reveal().encode())


def header(scope: Scope, name: str) -> bytes:
    """A header's value, b"" without it."""
    wanted = name.lower().encode()
    return next((value for key, value in scope["headers"] if key == wanted), b"")


def answered(ask: Callable[[Request], Awaitable[bytes]]) -> Callable[[Request], Awaitable[Response]]:
    """Whose fault it is, by status: 503 a store's or the disk's, 400 the asker's."""

    async def answer(request: Request) -> Response:
        try:
            return Response(await ask(request), media_type=MEDIA_TYPE)
        except Unavailable as error:
            return Response(str(error), 503)
        except NotFound as error:
            return Response(str(error), 404)
        except (ValueError, KeyError, msgspec.MsgspecError) as error:
            return Response(f"{type(error).__name__}: {error}", 400)

    return answer


def _number(request: Request, name: str) -> int:
    return int(request.query_params[name])
