"""One TCP connection on any event loop. Decided here: how much is read in a turn, and how little an idle connection keeps.

aiofastnet's transport keeps 5.6 KiB for each connection, 4 of them an array for gathered writes that only a peer which does not
read would need. This one keeps under 0.6 KiB, begins without a turn of the event loop, and leaves the sending of frames to picows,
which writes to the file descriptor itself. It serves buffered protocols only. TLS is aiofastnet's (listen.py).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

log = logging.getLogger("collector.transport")

READ_TURN_BYTES = 262_144
"""Read from one connection before the others have their turn."""
_NONE = asyncio.BufferedProtocol()
"""Of a connection that is over."""


class Tcp(asyncio.Transport):
    """An `asyncio.Transport` over a connected socket that does not block. `start` begins to read."""

    __slots__ = (
        "_backlog", "_closing", "_eof", "_high", "_loop", "_lost", "_protocol", "_reading", "_sock", "_writing",
        "get_write_buffer_size",
    )  # fmt: skip

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol: asyncio.BufferedProtocol) -> None:
        self._loop, self._sock, self._protocol = loop, sock, protocol
        self._backlog = bytearray()
        self.get_write_buffer_size = self._backlog.__len__  # type: ignore[method-assign]  # asked before each frame: no frame of Python's
        self._high = 65_536
        self._reading = self._writing = self._closing = self._lost = self._eof = False

    def start(self) -> None:
        """Tell the protocol, then read."""
        self._protocol.connection_made(self)
        self.resume_reading()

    # -- what it is

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """`socket`, while it is open; nothing else is known here."""
        return self._sock if name == "socket" else default

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """A buffered protocol: the next read is its own."""
        self._protocol = protocol  # type: ignore[assignment]  # the port's signature is wider

    def is_closing(self) -> bool:
        return self._closing

    # -- reading

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock.fileno())

    def resume_reading(self) -> None:
        if not self._reading and not self._closing:
            self._reading = True
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def _readable(self) -> None:
        left = READ_TURN_BYTES
        try:
            while True:
                protocol = self._protocol
                buffer = protocol.get_buffer(-1)
                count = self._sock.recv_into(buffer)
                if not count:
                    self._ended()
                    return
                protocol.buffer_updated(count)
                if count < len(buffer):  # type: ignore[arg-type]  # a Buffer, of which ours are memoryviews
                    return
                left -= count
                if left <= 0 or not self._reading:
                    return
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
        except Exception as error:
            log.exception("a connection failed")
            self._lose(error)

    def _ended(self) -> None:
        """The peer ended its half."""
        if self._protocol.eof_received():
            self.pause_reading()
        else:
            self.close()

    # -- writing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Above `high` bytes waiting the protocol hears `pause_writing`; `low` has no use here, ours never go on after that."""
        self._high = 65_536 if high is None else high

    def can_write_eof(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send, or keep what the kernel does not take now."""
        if self._closing or self._eof or not data:  # picows' answer to its own request has no bytes
            return
        if not self._backlog:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                self._lose(error)
                return
            if sent == len(data):
                return
            data = memoryview(data)[sent:]
            self._writing = True
            self._loop.add_writer(self._sock.fileno(), self._writable)
        self._backlog += data
        if len(self._backlog) > self._high:
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def _writable(self) -> None:
        try:
            sent = self._sock.send(self._backlog)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        del self._backlog[:sent]
        if self._backlog:
            return
        self._stop_writing()
        if self._closing:
            self._lose(None)
        elif self._eof:
            self._shut()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._sock.fileno())

    def write_eof(self) -> None:
        """End our half once everything is sent."""
        if self._closing or self._eof:
            return
        self._eof = True
        if not self._backlog:
            self._shut()

    def _shut(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError as error:  # the peer is gone already
            self._lose(error)

    # -- the end

    def close(self) -> None:
        """Read no more, send what waits, then end."""
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        if not self._backlog:
            self._lose(None)

    def abort(self) -> None:
        """End now; what waits is not sent."""
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        if self._lost:
            return
        self.pause_reading()
        self._stop_writing()
        self._closing = self._lost = True
        self._backlog.clear()
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, _NONE  # it knows us: together they would wait for a garbage collection
        try:
            protocol.connection_lost(error)
        finally:
            self._sock.close()
