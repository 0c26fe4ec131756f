"""The transport port: what a WebSocket server must give the collector, and what it is given. Decided here: nothing about OCPP.

One adapter per library (`websockets`, `picows`); both pass tests/contract/test_transport.py. All calls are on the event loop.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec


class Upgrade(msgspec.Struct, frozen=True):
    """A WebSocket upgrade request, read but not yet answered."""

    path: str
    """Raw request target, e.g. `/ocpp/CP%2001`."""
    subprotocols: tuple[str, ...]
    """As offered, in order; empty when the header is missing."""
    remote: str
    """Address of the peer, without port."""
    authorization: str | None = None
    """Value of the Authorization header: a secret, never logged."""
    user_agent: str | None = None
    client_name: str | None = None
    """Common name of a verified client certificate (mutual TLS)."""
    client_fingerprint: str | None = None
    """SHA-256 of that certificate, lower-case hex."""
    tls: bool = False

    def __repr__(self) -> str:
        return f"Upgrade(path={self.path!r}, remote={self.remote!r}, subprotocols={self.subprotocols!r})"


class Socket(Protocol):
    """One accepted connection, towards the charge point."""

    def send(self, text: bytes) -> None:
        """Queue one text message. Never blocks; a peer that does not read is aborted once its write buffer passes the limit."""

    def ping(self) -> None:
        """Send a ping; the pong arrives at `Listener.on_pong`."""

    def pause_reading(self) -> None:
        """Stop reading from TCP: back-pressure.

        Messages that were read already still arrive; a peer that is lost goes unnoticed meanwhile.
        """

    def resume_reading(self) -> None:
        """Go on reading."""

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Closing handshake; the TCP connection is cut if the peer does not answer within the close timeout."""

    def abort(self) -> None:
        """Drop TCP without a goodbye."""

    @property
    def write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet."""


class Listener(Protocol):
    """One accepted connection, towards the collector.

    Every listener given in an `Accept` hears exactly one `on_close`, even when the peer left before `on_open`. An exception out
    of a listener is logged and closes its own connection with 1011.
    """

    def on_open(self, socket: Socket) -> None: ...

    def on_text(self, text: bytes) -> None:
        """A whole text message (fragments joined, inflated).

        Not checked for UTF-8: OCPP-J has an answer for that, RFC 6455 only a disconnect that a charge point would repeat for ever.
        """

    def on_binary(self, size: int) -> None:
        """A binary message came: OCPP-J knows none."""

    def on_pong(self) -> None: ...

    def on_close(self, code: int, reason: str, lost: bool) -> None:
        """Called exactly once.

        `code`: the peer's (1005: its Close had none), or ours where the peer broke the protocol (1002, 1009, ...).
        `lost`: TCP broke, timed out or we aborted; `code` is 1006 and `reason` our own word for it, then.
        """


class Accept(msgspec.Struct, frozen=True):
    """Upgrade granted."""

    listener: Listener
    subprotocol: str | None = None
    """Sent back only when the peer offered it (RFC 6455 §4.2.2)."""


class Refuse(msgspec.Struct, frozen=True):
    """Upgrade refused with an HTTP status (401 adds WWW-Authenticate: Basic; 429 and 503 add Retry-After)."""

    status: int
    body: str = ""
    retry_after_s: int | None = None


Admit = Callable[[Upgrade], "Accept | Refuse | Awaitable[Accept | Refuse]"]
"""Asked once per upgrade. An awaitable answer (a password check off the loop) must not hold up other connections."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one listener."""

    max_message_bytes: int = 1_048_576
    handshake_timeout_s: float = 10.0
    close_timeout_s: float = 5.0
    max_write_buffer_bytes: int = 1_048_576
    backlog: int = 4096
    deflate: bool = True
    """permessage-deflate without context takeover (OCPP-J 2.0.1 part 4 §3.4)."""


COUNTS = ("accepted", "upgraded", "refused", "malformed", "timed_out", "tls_failed", "abandoned", "out_of_sockets")
"""Keys of `Server.counts`: TCP connections accepted; upgrades granted; refused by `admit`; not an upgrade we understand; cut by
the handshake timeout (slow-loris); TLS handshakes failed; peers gone before their answer; times that no socket was left."""


class Server(Protocol):
    """A running listener."""

    @property
    def port(self) -> int: ...

    @property
    def counts(self) -> Mapping[str, int]:
        """What became of every TCP connection so far; the keys are `COUNTS`."""

    async def close(self) -> None:
        """Stop accepting and drop upgrades that are not answered yet; open sockets are the collector's to close."""


class Serve(Protocol):
    """The signature of each adapter's `serve`."""

    async def __call__(
        self, admit: Admit, host: str, port: int, *, limits: Limits = ..., tls: ssl.SSLContext | None = None
    ) -> Server:
        """Raises OSError when the address cannot be bound."""
