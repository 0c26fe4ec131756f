"""A connection that is over is gone at once: nothing of it waits for a garbage collection, which under load hardly ever comes."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
import websockets

from collector.outbound import Outbound
from collector.transport.choose import choose
from collector.transport.port import Accept, Socket

ROUNDS = 5


class Listener:
    """Answers every message, and notices its own end of life."""

    def __init__(self) -> None:
        self.socket: Socket | None = None

    def on_open(self, socket: Socket) -> None:
        self.socket = socket

    def on_text(self, text: bytes) -> None:
        assert self.socket is not None
        self.socket.send(text)

    def on_binary(self, size: int) -> None: ...

    def on_pong(self) -> None: ...

    def on_close(self, code: int, reason: str, lost: bool) -> None: ...


def left() -> list[str]:
    """What there is of the transport's own objects."""
    return sorted(type(each).__qualname__ for each in gc.get_objects() if type(each).__module__ in _OURS)


_OURS = frozenset(f"collector.transport.{name}" for name in ("picows", "websockets", "tcp", "assembly"))


@pytest.mark.parametrize("how", ["closed by the peer", "cut by the peer", "cut by us"])
@pytest.mark.parametrize("transport", ["picows", "websockets"])
async def test_an_ended_connection_leaves_nothing(transport: str, how: str) -> None:
    """However it ended: its socket, its buffers and its listener are freed when the last one lets go of them."""
    listeners: weakref.WeakSet[Listener] = weakref.WeakSet()

    def admit(_: object) -> Accept:
        listener = Listener()
        listeners.add(listener)
        return Accept(listener)

    server = await choose(transport)(admit, "127.0.0.1", 0)
    gc.collect()
    before = left()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            async with websockets.connect(f"ws://127.0.0.1:{server.port}/", compression=None, close_timeout=5) as client:
                await client.send("hello")
                assert await client.recv() == "hello"
                if how == "cut by the peer":
                    client.transport.abort()
                elif how == "cut by us":
                    [listener] = listeners
                    assert listener.socket is not None
                    listener.socket.abort()
                    del listener
        for _ in range(500):
            if left() == before and not listeners:
                break
            await asyncio.sleep(0.02)
        assert (left(), len(listeners)) == (before, 0)
    finally:
        gc.enable()
        await server.close()


class _Line:
    """A connection under calls of ours, which knows them."""

    def __init__(self) -> None:
        self.charge_point_id, self.protocol, self.generation = "CP-1", "ocpp1.6", 7
        self.outbound = Outbound(self, None)  # type: ignore[arg-type]  # nothing is called here

    def send(self, text: bytes) -> None: ...


def test_calls_of_ours_do_not_hold_a_connection_that_is_over() -> None:
    """The two know each other until it closes, and not after that."""
    gc.disable()
    try:
        line = _Line()
        noticed = weakref.ref(line)
        line.outbound.closed()
        del line
        assert noticed() is None
    finally:
        gc.enable()
