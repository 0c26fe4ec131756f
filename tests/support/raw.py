"""A charge point without manners: says any bytes it is told to, and reads what comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import websockets


class RawPoint:
    """One WebSocket. `call` makes an OCPP call by hand and gives the whole reply frame."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._ids = count(1)

    async def say(self, text: str | bytes) -> None:
        await self.connection.send(text)

    async def hear(self, timeout_s: float = 10.0) -> Any:
        """The next frame, decoded."""
        async with asyncio.timeout(timeout_s):  # wait_for of Python 3.11 may lose a cancellation that comes with the frame
            return json.loads(await self.connection.recv())

    async def send_frame(self, kind: int, action: str, payload: dict[str, Any]) -> None:
        """A frame of any message type, to which no answer is awaited."""
        await self.say(json.dumps([kind, f"m{next(self._ids)}", action, payload]))

    async def call(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> Any:
        ident = message_id or f"m{next(self._ids)}"
        await self.say(json.dumps([2, ident, action, payload]))
        reply = await self.hear()
        assert reply[1] == ident, reply
        return reply

    async def is_served(self) -> bool:
        """Does it still get answers?"""
        return bool((await self.call("Heartbeat", {}))[0] == 3)


@asynccontextmanager
async def raw(url: str, name: str, protocol: str | None = "ocpp1.6", **options: Any) -> AsyncIterator[RawPoint]:
    """An open connection; `protocol` None offers no subprotocol."""
    offered = None if protocol is None else [protocol]
    async with websockets.connect(f"{url}/{name}", subprotocols=offered, max_size=None, **options) as connection:  # type: ignore[arg-type]
        yield RawPoint(connection)
