"""The transport on `websockets`, by its sans-I/O layer: the reference that picows is held against.

Decided here: how its frames become calls of the listener. HTTP, TCP and TLS are the same as picows' (gate and listen).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from collector.transport import closing
from collector.transport.deflate import WORTH_BYTES, Deflate
from collector.transport.drain import drain
from collector.transport.listen import listen
from collector.transport.nobody import NOBODY
from collector.transport.port import Admit, Limits, Listener, Server

log = logging.getLogger("collector.transport")

_LIMITS = Limits()
_SCRATCH = memoryview(bytearray(65_536))
"""One read buffer for all connections: it is emptied before the event loop goes on."""


class _PackLong(PerMessageDeflate):
    """permessage-deflate without context takeover that leaves short messages alone."""

    def __init__(self, agreed: Deflate) -> None:
        super().__init__(True, True, 15, agreed.window_bits, {"level": 1, "memLevel": 5})

    def encode(self, frame: Frame) -> Frame:
        return frame if len(frame.data) < WORTH_BYTES else super().encode(frame)


class WebSocketsSocket(asyncio.BufferedProtocol):
    """One WebSocket: `Socket` towards the collector, a protocol towards TCP, the library's state machine between them."""

    __slots__ = ("_broken", "_limits", "_listener", "_message", "_reason", "_tcp", "_text", "_timer", "_ws")

    def __init__(self, tcp: asyncio.Transport, listener: Listener, agreed: Deflate | None, limits: Limits) -> None:
        self._tcp, self._listener, self._limits = tcp, listener, limits
        self._ws = ServerProtocol(state=State.OPEN, max_size=limits.max_message_bytes)
        self._ws.extensions = [] if agreed is None else [_PackLong(agreed)]
        self._message: bytearray | None = None
        self._text = True
        self._reason = ""
        self._broken = False
        self._timer: asyncio.TimerHandle | None = None

    # towards the collector

    def send(self, text: bytes) -> None:
        if self._ws.state is State.OPEN:
            self._ws.send_text(text)
            self._flush()

    def ping(self) -> None:
        if self._ws.state is State.OPEN:
            self._ws.send_ping(b"")
            self._flush()

    def pause_reading(self) -> None:
        if self._ws.state is State.OPEN:
            self._tcp.pause_reading()

    def resume_reading(self) -> None:
        self._tcp.resume_reading()

    def close(self, code: int = 1000, reason: str = "") -> None:
        raw = closing.reason_bytes(code, reason)
        if self._ws.state is State.OPEN:
            self._reason = closing.NO_ANSWER
            self._ws.send_close(code, raw.decode())
            self._flush()
            self._tcp.resume_reading()
            self._timer = asyncio.get_running_loop().call_later(self._limits.close_timeout_s, self._tcp.abort)

    def abort(self) -> None:
        self._drop(closing.ABORTED)

    @property
    def write_buffer_size(self) -> int:
        return self._tcp.get_write_buffer_size()

    # towards TCP

    def get_buffer(self, sizehint: int) -> memoryview:
        return _SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        self.feed(bytes(_SCRATCH[:nbytes]))

    def feed(self, data: bytes) -> None:
        """Bytes that came: hand on the messages before the first thing that is wrong, then what we have to say to it."""
        was_open = self._ws.state is State.OPEN
        self._ws.receive_data(data)
        if was_open and self._ws.parser_exc is not None and self._ws.close_rcvd is None and self._ws.close_sent is not None:
            self._broken = True
        for event in self._ws.events_received():
            if was_open and isinstance(event, Frame) and not self._take(event):
                break
        self._flush()

    def eof_received(self) -> bool:
        return False

    def pause_writing(self) -> None:
        """The write buffer passed its limit."""
        self._drop(closing.TOO_SLOW)

    def resume_writing(self) -> None: ...

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        theirs, ours = self._ws.close_rcvd, self._ws.close_sent
        listener, self._listener = self._listener, NOBODY
        if theirs is not None:
            listener.on_close(int(theirs.code), theirs.reason, False)
        elif self._broken and ours is not None:
            listener.on_close(int(ours.code), ours.reason, False)
        else:
            listener.on_close(closing.LOST, self._reason, True)

    def open(self) -> None:
        """Tell the listener."""
        self._guarded(lambda: self._listener.on_open(self))
        self._flush()

    def _take(self, frame: Frame) -> bool:
        """One frame that the library found right; False when nothing more is to be delivered."""
        if frame.opcode is Opcode.PONG:
            return self._guarded(self._listener.on_pong)
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return True
        if frame.opcode is not Opcode.CONT:
            self._text = frame.opcode is Opcode.TEXT
            if not frame.fin:
                self._message = bytearray()
        data = bytes(frame.data)
        if self._message is not None:
            self._message += data
            if not frame.fin:
                return True
            data, self._message = bytes(self._message), None
        return self._guarded(lambda: self._listener.on_text(data) if self._text else self._listener.on_binary(len(data)))

    def _guarded(self, call: Callable[[], None]) -> bool:
        """A listener that fails ends its own connection, not the event loop's turn."""
        try:
            call()
        except Exception:
            log.exception("a listener failed")
            if self._ws.state is State.OPEN:
                self._broken = True
                self._ws.fail(closing.INTERNAL_ERROR)
            return False
        return True

    def _flush(self) -> None:
        """Write what the library has to say; its end of stream begins the drain."""
        for data in self._ws.data_to_send():
            if data:
                self._tcp.write(data)
            else:
                drain(self._tcp, self._limits.close_timeout_s, then=self)

    def _drop(self, why: str) -> None:
        if not self._reason:
            self._reason = why
        self._ws.state = State.CLOSED
        self._tcp.abort()


def _seat(tcp: asyncio.Transport, listener: Listener, agreed: Deflate | None, limits: Limits, after: bytes) -> None:
    tcp.set_write_buffer_limits(high=limits.max_write_buffer_bytes)
    seated = WebSocketsSocket(tcp, listener, agreed, limits)
    tcp.set_protocol(seated)
    seated.open()
    if after:
        seated.feed(after)


async def serve(admit: Admit, host: str, port: int, *, limits: Limits = _LIMITS, tls: ssl.SSLContext | None = None) -> Server:
    """Serve WebSockets. Raises OSError when the address cannot be bound."""
    return await listen(admit, host, port, limits=limits, tls=tls, seat=_seat)
