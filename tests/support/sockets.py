"""Both ends of a WebSocket for tests: a listener that writes everything down, a server around it, a client that can misbehave."""

from __future__ import annotations

import asyncio
import base64
import functools
import os
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import pytest
import uvloop

from collector.transport.choose import TRANSPORTS
from collector.transport.port import Accept, Admit, Limits, Refuse, Serve, Server, Socket, Upgrade

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}
PATIENCE_S = 10.0


class Stage:
    """One adapter on one event loop."""

    def __init__(self, serve: Serve, loop: str) -> None:
        self.serve, self.loop = serve, loop

    def house(self, admit: Admit | None = None, *, limits: Limits | None = None, tls: ssl.SSLContext | None = None) -> House:
        """A server, to be entered."""
        return House(self.serve, admit, limits or Limits(), tls)


STAGES = [pytest.param(Stage(serve, loop), id=f"{name}-{loop}") for name, serve in TRANSPORTS.items() for loop in LOOPS]


def on_stage(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test, whose first argument is `stage`, with every adapter on every event loop."""

    @functools.wraps(test)
    def run(stage: Stage, **others: Any) -> None:
        with asyncio.Runner(loop_factory=LOOPS[stage.loop]) as runner:
            runner.run(asyncio.wait_for(test(stage, **others), 60))

    staged: Callable[..., None] = pytest.mark.parametrize("stage", STAGES)(run)
    return staged


class Recorder:
    """A listener that writes down what it hears: ("open",), ("text", bytes), ("binary", size), ("pong",), ("close", ...)."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []
        self.socket: Socket | None = None
        self._changed = asyncio.Event()

    def on_open(self, socket: Socket) -> None:
        self.socket = socket
        self._hear("open")

    def on_text(self, text: bytes) -> None:
        self._hear("text", text)

    def on_binary(self, size: int) -> None:
        self._hear("binary", size)

    def on_pong(self) -> None:
        self._hear("pong")

    def on_close(self, code: int, reason: str, lost: bool) -> None:
        self._hear("close", code, reason, lost)

    def _hear(self, *what: Any) -> None:
        self.heard.append(what)
        self._changed.set()

    @property
    def sock(self) -> Socket:
        assert self.socket is not None, "not open"
        return self.socket

    def all(self, kind: str) -> list[tuple[Any, ...]]:
        """What was heard of one kind, without the kind."""
        return [what[1:] for what in self.heard if what[0] == kind]

    @property
    def texts(self) -> list[bytes]:
        return [text for (text,) in self.all("text")]

    async def hears(self, kind: str, count: int = 1) -> list[tuple[Any, ...]]:
        """Wait for the `count`-th of a kind; what was heard of it."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.all(kind)) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.all(kind)

    async def closed(self) -> tuple[int, str, bool]:
        """Wait for the close, and see that nothing comes after it."""
        await self.hears("close")
        await asyncio.sleep(0.03)
        assert self.heard[-1][0] == "close"
        assert len(self.all("close")) == 1, "on_close is called exactly once"
        code, reason, lost = self.all("close")[0]
        return code, reason, lost


class House:
    """A server that admits everybody with a Recorder each, unless told otherwise."""

    def __init__(self, serve: Serve, admit: Admit | None, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self._serve, self._admit, self._limits, self._tls = serve, admit or self.welcome, limits, tls
        self.upgrades: list[Upgrade] = []
        self.guests: list[Recorder] = []
        self._server: Server | None = None

    def welcome(self, upgrade: Upgrade) -> Accept:
        """The default `admit`: the first subprotocol offered."""
        self.upgrades.append(upgrade)
        self.guests.append(Recorder())
        return Accept(self.guests[-1], upgrade.subprotocols[0] if upgrade.subprotocols else None)

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def port(self) -> int:
        return self.server.port

    def url(self, path: str = "/ocpp/CP1") -> str:
        return f"{'wss' if self._tls else 'ws'}://localhost:{self.port}{path}"

    async def __aenter__(self) -> Self:
        self._server = await self._serve(self._admit, "127.0.0.1", 0, limits=self._limits, tls=self._tls)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.server.close()
        for guest in self.guests:
            if guest.socket is not None:
                guest.socket.abort()
        await asyncio.sleep(0.02)


def refuse(status: int, body: str = "", retry_after_s: int | None = None) -> Admit:
    """An `admit` that refuses everybody."""
    return lambda upgrade: Refuse(status, body, retry_after_s)


class RawClient:
    """A WebSocket client by hand: sends any bytes, frames with any bits."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def tcp(cls, port: int, *, receive_buffer: int | None = None) -> Self:
        """TCP only."""
        sock = socket.socket()
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        except OSError:
            sock.close()
            raise
        return cls(*await asyncio.open_connection(sock=sock))

    @classmethod
    async def open(cls, port: int, *, deflate: bool = False, receive_buffer: int | None = None) -> Self:
        """Up to and including the 101."""
        client = await cls.tcp(port, receive_buffer=receive_buffer)
        client.write(upgrade_request(Sec_WebSocket_Extensions="permessage-deflate" if deflate else None))
        status, headers, _ = await client.response()
        assert status == 101, status
        assert not deflate or "permessage-deflate" in headers["sec-websocket-extensions"]
        return client

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def frame(self, opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True) -> None:
        """Send one frame; `rsv` are the three reserved bits, rsv1 = 4."""
        self.write(frame(opcode, payload, fin=fin, rsv=rsv, masked=masked))

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        """(status, headers in lower case, body) of an HTTP answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode().strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split(" ")[1]), headers, body

    async def receive(self) -> tuple[int, bytes]:
        """(opcode with FIN and reserved bits, payload) of the next frame."""
        async with asyncio.timeout(PATIENCE_S):
            first, length = await self.reader.readexactly(2)
            assert not length & 0x80, "a server does not mask"
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return first, await self.reader.readexactly(length)

    async def receive_close(self) -> tuple[int, str]:
        """(code, reason) of a Close frame, which must come next."""
        first, payload = await self.receive()
        assert first == 0x80 | CLOSE, hex(first)
        return int.from_bytes(payload[:2], "big") if payload else 1005, payload[2:].decode()

    async def rest(self) -> bytes:
        """Everything until TCP ends, by FIN or RST."""
        async with asyncio.timeout(PATIENCE_S):
            data = b""
            try:
                while chunk := await self.reader.read(65536):
                    data += chunk
            except ConnectionResetError:
                return data
            return data

    def vanish(self) -> None:
        """RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def leave(self) -> None:
        """FIN, and forget."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except ConnectionError:
            return


def frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, masked: bool = True) -> bytes:
    """The bytes of one client frame."""
    first, length = (0x80 if fin else 0) | rsv << 4 | opcode, len(payload)
    mask_bit = 0x80 if masked else 0
    if length < 126:
        head = struct.pack("!BB", first, mask_bit | length)
    elif length < 65536:
        head = struct.pack("!BBH", first, mask_bit | 126, length)
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, length)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = mask * (length // 4 + 1)
    body = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:length], "big")
    return head + mask + body.to_bytes(length, "big")


def upgrade_request(path: str = "/ocpp/CP1", *, first: str | None = None, **headers: str | None) -> bytes:
    """A correct upgrade request; `Header_Name=value` replaces or adds a header, None leaves it out."""
    fields: dict[str, str | None] = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [first or f"GET {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"
