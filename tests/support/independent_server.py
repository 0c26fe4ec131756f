"""An OCPP server that has nothing of the collector's: `websockets`, and the PyPI `ocpp` package's schemas, on every frame."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from ocpp.messages import Call, CallResult, validate_payload
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

VERSIONS = {"ocpp1.6": "1.6", "ocpp2.0.1": "2.0.1", "ocpp2.1": "2.1"}


class IndependentServer:
    """Accepts everything, checks every frame in both directions, and keeps the calls: (charge point, action, payload)."""

    def __init__(self, *, password: str | None = None) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.results: list[tuple[str, str, dict[str, Any]]] = []
        self.faults: list[str] = []
        self.protocols: Counter[str] = Counter()
        self.refused = 0
        self.token_status = "Accepted"
        self.connected: dict[str, ServerConnection] = {}
        self.port = 0
        self._password = password
        self._transactions = 0
        self._waiting: dict[str, tuple[str, asyncio.Future[dict[str, Any]]]] = {}
        self._changed = asyncio.Event()

    def said(self, charge_point_id: str, action: str) -> list[dict[str, Any]]:
        """Payloads of one action from one charge point."""
        return [payload for who, what, payload in self.calls if (who, what) == (charge_point_id, action)]

    async def until(self, holds: Callable[[], object], timeout_s: float = 30.0) -> None:
        """Wait until `holds`, looked at after each frame."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def call(self, charge_point_id: str, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call a charge point; its result, or {"error": code}. Both are checked by the package's schemas."""
        socket = self.connected[charge_point_id]
        version = VERSIONS[str(socket.subprotocol)]
        await validate_payload(Call(unique_id="1", action=action, payload=payload), version)
        message_id = uuid.uuid4().hex
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = (action, future)
        await socket.send(json.dumps([2, message_id, action, payload]))
        return await asyncio.wait_for(future, 15)

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        charge_point_id = unquote(socket.request.path.rsplit("/", 1)[-1])
        protocol = str(socket.subprotocol)
        self.protocols[protocol] += 1
        self.connected[charge_point_id] = socket
        try:
            async for text in socket:
                await self._take(socket, charge_point_id, VERSIONS[protocol], json.loads(text))
                self._changed.set()
        except ConnectionClosed:
            pass
        finally:
            if self.connected.get(charge_point_id) is socket:
                del self.connected[charge_point_id]
            self._changed.set()

    async def _take(self, socket: ServerConnection, charge_point_id: str, version: str, frame: list[Any]) -> None:
        match frame:
            case [2, message_id, action, payload]:
                await self._check(Call(unique_id=message_id, action=action, payload=payload), version, charge_point_id)
                self.calls.append((charge_point_id, action, payload))
                reply = self._reply(action, version, payload)
                await self._check(CallResult(unique_id=message_id, action=action, payload=reply), version, "server")
                await socket.send(json.dumps([3, message_id, reply]))
            case [3, message_id, payload]:
                action, future = self._waiting.pop(message_id)
                await self._check(CallResult(unique_id=message_id, action=action, payload=payload), version, charge_point_id)
                self.results.append((charge_point_id, action, payload))
                future.set_result(payload)
            case [4, message_id, code, *_]:
                self._waiting.pop(message_id)[1].set_result({"error": code})
            case _:
                self.faults.append(f"{charge_point_id}: {frame}")

    async def _check(self, message: Call | CallResult, version: str, who: str) -> None:
        try:
            await validate_payload(message, version)
        except Exception as error:
            self.faults.append(f"{who}: {message.action} {message.payload}: {error!r}")

    def _reply(self, action: str, version: str, payload: dict[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if action == "BootNotification":
            return {"currentTime": now, "interval": 2, "status": "Accepted"}
        if action == "Heartbeat":
            return {"currentTime": now}
        info = {"status": self.token_status}
        if action == "Authorize":
            return {"idTagInfo": info} if version == "1.6" else {"idTokenInfo": info}
        if action == "StartTransaction":
            self._transactions += 1
            return {"transactionId": self._transactions, "idTagInfo": info}
        if action == "TransactionEvent" and "idToken" in payload:
            return {"idTokenInfo": info}
        return {}

    def _admit(self, socket: ServerConnection, request: Request) -> Response | None:
        if self._password is None:
            return None
        name = unquote(request.path.rsplit("/", 1)[-1])
        wanted = base64.b64encode(f"{name}:{self._password}".encode()).decode()
        if request.headers.get("Authorization") == f"Basic {wanted}":
            return None
        self.refused += 1
        self._changed.set()
        return socket.respond(401, "wrong password\n")


@asynccontextmanager
async def independent_server(*, password: str | None = None) -> AsyncIterator[IndependentServer]:
    """The server on a free loopback port."""
    ours = IndependentServer(password=password)
    protocols = [Subprotocol(name) for name in VERSIONS]
    async with serve(
        ours._serve, "127.0.0.1", 0, subprotocols=protocols, process_request=ours._admit, ping_interval=None
    ) as server:
        ours.port = server.sockets[0].getsockname()[1]
        yield ours
