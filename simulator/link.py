"""One WebSocket to a server: our calls one at a time, its calls answered as they come. The only module that imports websockets."""

from __future__ import annotations

import asyncio
import base64
import ssl
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from chargenet.errors import SettingsError
from simulator import wire
from simulator.tally import Statistics

CALL_TIMEOUT_S = 30.0
Unreachable = (OSError, TimeoutError, InvalidHandshake)
"""What opening a connection may fail with, for reasons that may pass."""

class Lost(Exception):
    """The connection ended."""


class CallFailed(Exception):
    """The server answered with a call error; `code` is its word."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code


class Refused(Exception):
    """We answer a call of the server with a call error."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where to connect and as whom. `password` None: no Authorization header."""

    url: str
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"Server(url={self.url!r})"

    def __post_init__(self) -> None:
        try:
            parse_uri(self.url)
        except InvalidURI as error:
            problem = f"{self.url} is not the address of a WebSocket server (ws://… or wss://…)"
            raise SettingsError("simulate", "url", problem) from error

    def open(self, charge_point_id: str, protocol: str) -> AbstractAsyncContextManager[ClientConnection]:
        """A connection to `<url>/<charge_point_id>`."""
        headers = {}
        if self.password is not None:
            secret = base64.b64encode(f"{charge_point_id}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {secret}"
        return connect(
            f"{self.url.rstrip('/')}/{quote(charge_point_id, safe='')}",
            subprotocols=[Subprotocol(protocol)],
            additional_headers=headers,
            user_agent_header="chargewatch-simulator",
            compression=None,
            ping_interval=None,
            open_timeout=20,
            close_timeout=2,
            max_queue=16,
            ssl=self.tls,
        )


Answer = Callable[[str, dict[str, Any]], tuple[dict[str, Any], Callable[[], None] | None]]
"""(action, payload) → (reply, what to do once it was sent). Raises Refused."""


class Link:
    """Calls in both directions over one open connection."""

    def __init__(self, socket: ClientConnection, answer: Answer, tally: Statistics) -> None:
        self._socket, self._answer, self._tally = socket, answer, tally
        self._waiting: tuple[str, asyncio.Future[dict[str, Any]]] | None = None
        self._turn = asyncio.Lock()

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Our call and the server's result. Raises CallFailed, TimeoutError or Lost."""
        async with self._turn:
            message_id = uuid.uuid4().hex
            future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            self._waiting = (message_id, future)
            try:
                await self._send(wire.call(message_id, action, payload))
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    return await future
            finally:
                self._waiting = None

    async def read(self) -> None:
        """Serve until the connection ends."""
        try:
            async for text in self._socket:
                self._tally.frames_received += 1
                await self._take(wire.parse(text))
        except (ConnectionClosed, Lost):
            return

    def cut(self) -> None:
        """Drop TCP without a goodbye."""
        self._socket.transport.abort()

    async def close(self) -> None:
        """A goodbye."""
        await self._socket.close()

    async def _take(self, frame: list[Any]) -> None:
        match frame:
            case [wire.CALL, str(message_id), str(action), dict(payload)]:
                await self._reply(message_id, action, payload)
            case [wire.RESULT, message_id, dict(payload)]:
                self._settle(message_id, payload)
            case [wire.ERROR, message_id, code, *rest]:
                self._settle(message_id, CallFailed(str(code), str(rest[0]) if rest else ""))
            case _:
                self._tally.problem("a frame that is none")

    async def _reply(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        try:
            reply, after = self._answer(action, payload)
        except Refused as refused:
            self._tally.calls_refused += 1
            await self._send(wire.error(message_id, refused.code, refused.text))
            return
        await self._send(wire.result(message_id, reply))
        self._tally.calls_answered += 1
        if after is not None:
            after()

    def _settle(self, message_id: object, answer: dict[str, Any] | CallFailed) -> None:
        if self._waiting is None or self._waiting[0] != message_id or self._waiting[1].done():
            self._tally.problem("an answer to nothing")
        elif isinstance(answer, CallFailed):
            self._waiting[1].set_exception(answer)
        else:
            self._waiting[1].set_result(answer)

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as closed:
            raise Lost from closed
        self._tally.frames_sent += 1
