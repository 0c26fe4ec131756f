"""Listening sockets: bind, accept, TLS. Decided here: socket options, and how a storm of connections is taken in.

TCP is tcp.py's. TLS is aiofastnet's, on any event loop: stdlib TLS costs 285 KiB a connection, its 50. Its own server is not used,
because it spins when no file descriptor is left (1.2.0 calls a method that sockets do not have).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from aiofastnet.openssl_compat import OPENSSL_DYN_LIBS
from aiofastnet.selector_transport import SelectorSocketTransport  # type: ignore[import-not-found]
from aiofastnet.ssl_transport import SSLTransport_Socket, SSLTransport_Transport  # type: ignore[import-not-found]

from collector.transport.gate import Door, Gate, Seat
from collector.transport.port import Admit, Limits
from collector.transport.tcp import Tcp

log = logging.getLogger("collector.transport")

ACCEPTS_PER_TURN = 64
"""So that a storm does not keep the event loop from its other work."""
RETRY_ACCEPT_S = 0.5
RECEIVE_BUFFER_BYTES = 131_072
"""Bounds the kernel's memory per connection, and how much one read can bring; the kernel doubles it."""
KEEPALIVE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES = 120, 20, 4
TLS_RECORD_BYTES = 16_384 + 64

_NO_SOCKET_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listening:
    """A running listener; see `collector.transport.port.Server`."""

    def __init__(self, door: Door, sockets: list[socket.socket], tls: ssl.SSLContext | None) -> None:
        self._door, self._sockets, self._tls = door, sockets, tls
        self._retries: dict[socket.socket, asyncio.TimerHandle] = {}
        self._handshakes: set[Any] = set()
        self._port: int = sockets[0].getsockname()[1]
        for listening in sockets:
            self._start(listening)

    @property
    def port(self) -> int:
        return self._port

    @property
    def counts(self) -> Mapping[str, int]:
        return self._door.counts

    async def close(self) -> None:
        """Stop accepting; drop handshakes and upgrades that are under way."""
        for listening in self._sockets:
            self._door.loop.remove_reader(listening.fileno())
            listening.close()
        self._sockets = []
        for timer in self._retries.values():
            timer.cancel()
        for transport in tuple(self._handshakes):
            transport.abort()
        await self._door.close()

    def _start(self, listening: socket.socket) -> None:
        self._retries.pop(listening, None)
        self._door.loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        family = listening.family
        for _ in range(ACCEPTS_PER_TURN):
            try:
                # socket.accept() asks the listening socket for three properties and makes enums of them, each time
                descriptor, address = listening._accept()  # type: ignore[attr-defined]
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # gone before we took it
            except OSError as error:
                if error.errno not in _NO_SOCKET_LEFT:
                    raise
                self._out_of_sockets(listening, error)
                return
            self._door.counts["accepted"] += 1
            accepted = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, descriptor)
            try:
                self._take(accepted, str(address[0]))
            except OSError:  # reset between accept and here
                self._door.counts["abandoned"] += 1
                accepted.close()

    def _out_of_sockets(self, listening: socket.socket, error: OSError) -> None:
        self._door.counts["out_of_sockets"] += 1
        log.error("cannot accept connections for %s s: %s", RETRY_ACCEPT_S, error.strerror)
        self._door.loop.remove_reader(listening.fileno())
        self._retries[listening] = self._door.loop.call_later(RETRY_ACCEPT_S, self._start, listening)

    def _take(self, accepted: socket.socket, remote: str) -> None:
        accepted.setblocking(False)
        gate = Gate(self._door, remote)
        if self._tls is None:
            Tcp(self._door.loop, accepted, gate).start()
            return
        done: asyncio.Future[None] = self._door.loop.create_future()
        transport = self._tls_transport(accepted, gate, self._tls, done)
        self._handshakes.add(transport)
        done.add_done_callback(lambda future: self._shaken(transport, future))

    def _tls_transport(self, accepted: socket.socket, gate: Gate, tls: ssl.SSLContext, done: asyncio.Future[None]) -> Any:
        loop, limits = self._door.loop, self._door.limits
        bounds = (limits.handshake_timeout_s, limits.close_timeout_s, TLS_RECORD_BYTES, TLS_RECORD_BYTES)
        if OPENSSL_DYN_LIBS is not None:
            return SSLTransport_Socket(loop, gate, tls, True, *bounds, accepted, waiter=done)
        transport = SSLTransport_Transport(loop, gate, tls, True, *bounds, waiter=done)
        SelectorSocketTransport(loop, accepted, transport.get_tls_protocol())
        return transport

    def _shaken(self, transport: Any, done: asyncio.Future[None]) -> None:
        self._handshakes.discard(transport)
        if done.cancelled() or done.exception() is not None:
            self._door.counts["tls_failed"] += 1


async def listen(admit: Admit, host: str, port: int, *, limits: Limits, tls: ssl.SSLContext | None, seat: Seat) -> Listening:
    """Bind every address of `host` (port 0: one free port for all) and serve. Raises OSError when one cannot be bound."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            bound_port = sockets[0].getsockname()[1] if sockets and port == 0 else port
            sockets.append(_bind(family, (address[0], bound_port, *address[2:]), limits.backlog))
    except OSError:
        for listening in sockets:
            listening.close()
        raise
    return Listening(Door(admit, limits, seat, tls=tls is not None), sockets, tls)


def _bind(family: int, address: tuple[Any, ...], backlog: int) -> socket.socket:
    """A listening socket; the options set here are inherited by every connection it accepts (Linux)."""
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_S)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(address)
        listening.listen(backlog)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error
    return listening
