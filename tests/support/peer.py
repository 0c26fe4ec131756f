"""Charge points of every OCPP version, written with the PyPI `ocpp` client: they say what a test says, and answer as they are told.

The library checks every frame against the schemas of its own, in both directions, so what works with it is not our opinion alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import ocpp.v16
import ocpp.v21
import ocpp.v201
import websockets
from ocpp.routing import on

from tests.support.platform import RunningPlatform, not_settled

MODULES = {"ocpp1.6": ocpp.v16, "ocpp2.0.1": ocpp.v201, "ocpp2.1": ocpp.v21}
PROTOCOLS = list(MODULES)


class Held:
    """An answer that is held back until `release`; without it, silence."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the answer go."""
        self._released.set()

    async def wait(self) -> Any:
        await self._released.wait()
        return self.result


class Peer:
    """Mixed into the library's ChargePoint. `results` has what each action is answered: a payload, an exception, a `Held`,
    or an async function that gives the payload."""

    _connection: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.results: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Our calls to it as they came over the wire."""
        self.most_open = 0
        """The most calls of ours that waited for its answer at one time."""
        self.closed: tuple[int, str] | None = None
        self._open = 0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def call(self, payload: Any, **options: Any) -> Any:
        """Call the platform; a CALLERROR raises."""
        return await super().call(payload, suppress=False, **options)  # type: ignore[misc]

    async def listen(self) -> None:
        """Route every frame in a task of its own: a handler that takes its time keeps nothing else waiting."""
        try:
            async for text in self._connection:
                task = asyncio.create_task(self._route(text))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except websockets.ConnectionClosed:
            pass
        self.closed = (self._connection.close_code, self._connection.close_reason)
        self._changed.set()

    async def _route(self, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            await super().route_message(text)  # type: ignore[misc]
            return
        self.asked.append((frame[2], frame[3]))
        self._open += 1
        self.most_open = max(self.most_open, self._open)
        self._changed.set()
        # The answer leaves inside: whoever calls again on hearing it must not be counted as a second one in flight.
        await super().route_message(text)  # type: ignore[misc]

    async def _send(self, text: str) -> None:
        if json.loads(text)[0] != 2:
            self._open -= 1
        await super()._send(text)  # type: ignore[misc]

    async def answer(self, action: str) -> Any:
        """What `results` says."""
        result = self.results[action]
        if isinstance(result, Held):
            result = await result.wait()
        elif callable(result):
            result = await result()
        if isinstance(result, Exception):
            raise result
        return result

    async def is_asked(self, count: int = 1) -> tuple[str, dict[str, Any]]:
        """Wait until it was asked `count` times; the last one."""
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.asked[-1]

    async def is_closed(self) -> tuple[int, str]:
        """Wait for the end of the connection: close code and reason."""
        async with asyncio.timeout(10):
            while self.closed is None:
                self._changed.clear()
                await self._changed.wait()
        return self.closed

    async def hang_up(self) -> None:
        """Close, and forget what was to be answered."""
        await self._connection.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _handler(action: str) -> Any:
    async def handle(self: Peer, **_: Any) -> Any:
        return await self.answer(action)

    handle.__name__ = f"on_{action}"  # the library finds handlers by their names
    return on(action)(handle)


def _peer_class(protocol: str) -> type[Any]:
    """The library's ChargePoint with a handler for every action that it knows a result of."""
    module = MODULES[protocol]
    handlers = {
        f"on_{name}": _handler(name) for name in vars(module.call_result) if name[0].isupper() and hasattr(module.call, name)
    }
    return type("VersionedPeer", (Peer, module.ChargePoint), handlers)


_CLASSES = {protocol: _peer_class(protocol) for protocol in PROTOCOLS}


@asynccontextmanager
async def peer(url: str, name: str, protocol: str = "ocpp1.6", *, timeout_s: float = 10, **options: Any) -> AsyncIterator[Any]:
    """A connected charge point of this version."""
    async with websockets.connect(f"{url}/{name}", subprotocols=[protocol], **options) as connection:  # type: ignore[list-item]
        assert connection.subprotocol == protocol
        point = _CLASSES[protocol](name, connection, response_timeout=timeout_s)
        listening = asyncio.create_task(point.listen())
        try:
            yield point
        finally:
            await point.hang_up()
            await listening


async def ask(
    platform: RunningPlatform, name: str, command: dict[str, Any] | tuple[str, dict[str, Any]], timeout_s: float | None = 5
) -> tuple[int, dict[str, Any]]:
    """Have a charge point asked through the API: a typed command, or an action and its payload. (HTTP status, outcome)."""
    where, body = "commands", dict[str, Any](command=command)
    if isinstance(command, tuple):
        where, body = "calls", {"action": command[0], "payload": command[1]}
    status, answer = await request(platform, "POST", f"/api/v1/charge-points/{name}/{where}", json=body | {"timeout_s": timeout_s})
    assert "outcome" in answer, answer
    outcome: dict[str, Any] = answer["outcome"]
    return status, outcome


async def request(platform: RunningPlatform, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Call the API; errors are answers too."""
    headers = {"Authorization": f"Bearer {platform.key}"}
    base = f"http://127.0.0.1:{platform.http_port}"
    # Without `verify` each client would read all certificates of the system, for nothing.
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30, verify=False) as client:
        answer = await client.request(method, path, **options)
    return answer.status_code, answer.json()


async def items(platform: RunningPlatform, path: str, **query: Any) -> list[dict[str, Any]]:
    """A listing of the API."""
    status, page = await request(platform, "GET", f"/api/v1/{path}", params=query)
    assert status == 200, page
    found: list[dict[str, Any]] = page["items"]
    return found


async def frames(platform: RunningPlatform, name: str) -> list[dict[str, Any]]:
    """The message log of a charge point, oldest first, once everything that was heard is in it."""
    await settled(platform)
    return (await items(platform, f"charge-points/{name}/frames", limit=1000))[::-1]


async def metrics_of(platform: RunningPlatform, name: str) -> str:
    """The lines of /metrics about one charge point."""
    text: str = await asyncio.to_thread(platform.api, "GET", "/metrics")
    return "\n".join(line for line in text.splitlines() if f'charge_point="{name}"' in line)


async def settled(platform: RunningPlatform) -> None:
    """Wait until every read model has seen all that was acknowledged."""
    behind: list[dict[str, Any]] = []
    for _ in range(600):
        _, health = await request(platform, "GET", "/api/v1/health")
        behind = not_settled(health)
        if not behind:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"read models stay behind: {behind}")
