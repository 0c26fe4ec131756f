"""The transport on picows: frames parsed and built in C, two to three times cheaper a message than pure Python.

Decided here: how picows is used. Its parser begins after *our* upgrade (its own cannot wait for an answer and keeps the headers):
it is given a fixed request, and answers into the void. It has no permessage-deflate, joins no fragments and does no closing
handshake; those are here. Of several frames in one read, the one before a frame that breaks the protocol is lost with it: it was
not acknowledged, and the charge point sends it again.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any

from multidict import CIMultiDict
from picows import (
    WSAutoPingStrategy,
    WSFrame,
    WSListener,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
)
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from collector.transport import closing
from collector.transport.assembly import BINARY, CONTINUATION, TEXT, Assembly, Violation
from collector.transport.deflate import WORTH_BYTES, Deflate
from collector.transport.drain import drain
from collector.transport.listen import listen
from collector.transport.nobody import NOBODY
from collector.transport.port import Admit, Limits, Listener, Server

READ_BUFFER_BYTES = 1024
RESEAT_BYTES = 16_384
"""After a burst of this size picows gets a new, small read buffer: its own only ever grows."""

_TEXT, _CLOSE, _PING, _PONG = WSMsgType.TEXT, WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG
_DATA = {WSMsgType.TEXT: TEXT, WSMsgType.BINARY: BINARY, WSMsgType.CONTINUATION: CONTINUATION}
_REQUEST = (
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
_LIMITS = Limits()
_NO_HEADERS: CIMultiDict[str] = CIMultiDict()


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """picows logs what a peer does wrong as errors: the listener hears it by `on_close`. Exceptions of ours stay loud."""

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.log(logging.DEBUG, msg, *args, **kwargs)

    def info(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Connections that come and go: the collector says it better."""


log = logging.getLogger("collector.transport")
_LOG = _Quiet(logging.getLogger("collector.transport.picows"), None)


class _Unsaid(WSUpgradeResponse):
    """picows' own answer to the fixed request: no bytes, since the gate has answered already."""

    def to_bytes(self) -> bytearray:
        return bytearray()


def _unsaid() -> WSUpgradeResponse:
    spoken, answer = WSUpgradeResponse.create_101_response(), _Unsaid()
    answer.version, answer.status, answer.headers, answer.body = spoken.version, spoken.status, spoken.headers, None
    return answer


_ANSWER = _unsaid()


class _Options:
    """A socket as picows sees it. It would set two options and read three: what we want is inherited from the listening socket."""

    __slots__ = ("fileno",)

    def __init__(self, fileno: Callable[[], int]) -> None:
        self.fileno = fileno

    def setsockopt(self, *option: int) -> None: ...

    def getsockopt(self, *option: int) -> int:
        return 0


class _Tcp:
    """The TCP transport as picows sees it: `close`, which picows calls after a protocol error, reads on for a while first."""

    __slots__ = ("_timeout_s", "get_write_buffer_size", "real", "write")

    def __init__(self, real: asyncio.Transport, timeout_s: float) -> None:
        self.real, self._timeout_s = real, timeout_s
        self.get_write_buffer_size, self.write = real.get_write_buffer_size, real.write  # picows keeps these two as they are

    def abort(self) -> None:
        self.real.abort()

    def writelines(self, lines: list[bytes]) -> None:
        self.real.writelines(lines)

    def get_extra_info(self, name: str, default: object = None) -> Any:
        found = self.real.get_extra_info(name, default)
        return _Options(found.fileno) if name == "socket" else found

    def close(self) -> None:
        drain(self.real, self._timeout_s, then=self.real.get_protocol())


class PicowsSocket(WSListener):
    """One WebSocket: `Socket` towards the collector, WSListener towards picows."""

    __slots__ = ("_assembly", "_burst", "_code", "_deflate", "_limits", "_listener", "_open", "_reason", "_tcp", "_timer", "_ws")

    _ws: WSTransport

    def __init__(self, tcp: _Tcp, listener: Listener, agreed: Deflate | None, limits: Limits) -> None:
        self._tcp, self._listener, self._deflate, self._limits = tcp, listener, agreed, limits
        self._assembly = Assembly(limits.max_message_bytes, agreed is not None)
        self._burst = 0
        self._open: bool | None = None
        """None before `on_open`, False once a Close went or came or TCP was dropped."""
        self._code, self._reason = closing.LOST, ""
        self._timer: asyncio.TimerHandle | None = None

    # towards the collector

    def send(self, text: bytes) -> None:
        if not self._open:
            return
        if self._deflate is not None and len(text) >= WORTH_BYTES:
            self._ws.send(_TEXT, self._deflate.compress(text), True, True)
        else:
            self._ws.send(_TEXT, text)

    def ping(self) -> None:
        if self._open:
            self._ws.send_ping()

    def pause_reading(self) -> None:
        if self._open and not self._ws.is_close_frame_sent:
            self._tcp.real.pause_reading()

    def resume_reading(self) -> None:
        self._tcp.real.resume_reading()

    def close(self, code: int = 1000, reason: str = "") -> None:
        raw = closing.reason_bytes(code, reason)
        if not self._open:
            return
        self._open = False
        self._reason = closing.NO_ANSWER
        self._ws.send_close(code, raw)  # type: ignore[arg-type]
        self._tcp.real.resume_reading()
        self._timer = asyncio.get_running_loop().call_later(self._limits.close_timeout_s, self._tcp.abort)

    def abort(self) -> None:
        self._drop(closing.ABORTED)

    @property
    def write_buffer_size(self) -> int:
        return int(self._tcp.get_write_buffer_size())

    # towards picows

    def seat(self) -> None:
        """Give picows a new parser for this connection."""
        protocol = WSProtocol(
            None,  # host, path: of clients
            None,
            False,
            self._answer,
            _LOG,
            True,  # an exception of ours closes with 1011
            None,  # the handshake's timeout is the gate's
            False,  # pings are the collector's
            1,
            1,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # pongs are ours: picows would not look at a ping's reserved bits
            self._limits.max_message_bytes,
            None,
            READ_BUFFER_BYTES,
        )
        self._tcp.real.set_protocol(protocol)
        protocol.connection_made(self._tcp)
        self.feed(_REQUEST)

    def feed(self, data: bytes) -> None:
        """Bytes that were read before picows took over."""
        rest = memoryview(data)
        while rest and isinstance(protocol := self._tcp.real.get_protocol(), WSProtocol):
            space = protocol.get_buffer(-1)
            count = min(len(space), len(rest))
            space[:count] = rest[:count]
            protocol.buffer_updated(count)
            rest = rest[count:]

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._ws = transport
        transport.request.headers = _NO_HEADERS
        if self._open is None:
            self._open = True
            try:
                self._listener.on_open(self)
            except Exception:
                log.exception("on_open failed")
                raise WSProtocolError(closing.INTERNAL_ERROR, "") from None

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if not self._open or transport.is_close_frame_sent:
            if kind == _CLOSE:
                self._closed_by_peer(frame)
            return
        if kind is _TEXT and frame.fin and not (frame.rsv1 or frame.rsv2 or frame.rsv3 or self._assembly.open):
            text = frame.get_payload_as_bytes()
            self._burst += len(text)
            self._listener.on_text(text)
        else:
            self._burst += frame.payload_size
            self._on_rare(kind, frame)
        if frame.last_in_buffer:
            if self._burst >= RESEAT_BYTES and frame.tail_size == 0 and self._open:
                self.seat()
            self._burst = 0

    def _on_rare(self, kind: WSMsgType, frame: WSFrame) -> None:
        """Everything but a whole, plain text message."""
        if frame.rsv2 or frame.rsv3 or (frame.rsv1 and kind not in _DATA):
            raise WSProtocolError(closing.PROTOCOL_ERROR, "reserved bits must be 0")
        if kind == _PING:
            self._ws.send_pong(frame.get_payload_as_bytes())
        elif kind == _PONG:
            self._listener.on_pong()
        elif kind == _CLOSE:
            self._closed_by_peer(frame)
        else:
            self._on_data(_DATA[kind], frame)

    def _on_data(self, opcode: int, frame: WSFrame) -> None:
        try:
            message = self._assembly.add(opcode, bool(frame.fin), bool(frame.rsv1), frame.get_payload_as_bytes())
        except Violation as broken:
            raise WSProtocolError(broken.code, broken.reason) from None
        if message is None:
            return
        if message[0] == TEXT:
            self._listener.on_text(message[1])
        else:
            self._listener.on_binary(len(message[1]))

    def _closed_by_peer(self, frame: WSFrame) -> None:
        raw = frame.get_payload_as_bytes()
        code = int.from_bytes(raw[:2], "big") if raw else closing.NO_CODE
        if raw and not closing.sendable(code):
            raise WSProtocolError(closing.PROTOCOL_ERROR, "invalid close code")
        self._code, self._reason = code, raw[2:].decode(errors="replace")
        if self._open:
            self._open = False
            self._ws.send(_CLOSE, raw)
        self._tcp.close()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._open and transport.close_handshake is not None and transport.close_handshake.sent is not None:
            # picows itself, or a WSProtocolError of ours, closed: the peer broke the protocol
            self._code, self._reason = int(transport.close_handshake.sent.code), transport.close_handshake.sent.reason  # type: ignore[call-overload]
        self._open = False
        listener, self._listener = self._listener, NOBODY
        listener.on_close(self._code, self._reason, self._code == closing.LOST)

    def pause_writing(self) -> None:
        """The write buffer passed its limit."""
        self._drop(closing.TOO_SLOW)

    def resume_writing(self) -> None: ...

    def _answer(self, request: object) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(_ANSWER, self)

    def _drop(self, why: str) -> None:
        if self._code == closing.LOST:
            self._reason = why
        self._open = False
        self._tcp.abort()


def _seat(tcp: asyncio.Transport, listener: Listener, agreed: Deflate | None, limits: Limits, after: bytes) -> None:
    tcp.set_write_buffer_limits(high=limits.max_write_buffer_bytes)
    seated = PicowsSocket(_Tcp(tcp, limits.close_timeout_s), listener, agreed, limits)
    seated.seat()
    seated.feed(after)


async def serve(admit: Admit, host: str, port: int, *, limits: Limits = _LIMITS, tls: ssl.SSLContext | None = None) -> Server:
    """Serve WebSockets. Raises OSError when the address cannot be bound."""
    return await listen(admit, host, port, limits=limits, tls=tls, seat=_seat)
