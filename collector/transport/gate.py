"""What happens between a TCP connection and a WebSocket: the request is read, `admit` is asked, the answer is sent.

Decided here: how long that may take and how much may be sent meanwhile; the same for every adapter. A granted connection is handed
to the adapter's `Seat`, which takes the TCP transport over; the gate is forgotten then.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

from collector.transport import deflate, upgrade
from collector.transport.drain import drain
from collector.transport.port import COUNTS, Accept, Admit, Limits, Listener, Refuse, Upgrade

log = logging.getLogger("collector.transport")

Seat = Callable[[asyncio.Transport, Listener, "deflate.Deflate | None", Limits, bytes], None]
"""(TCP, listener, agreed compression, limits, bytes that came after the request): take over; the 101 is already sent."""

_READING, _ASKING, _DONE = range(3)
_FAILED = Refuse(500, "The upgrade could not be decided. See the server's log.")
_LATE = Refuse(503, "The upgrade could not be decided in time.", retry_after_s=10)


class Door:
    """What all gates of one listener share."""

    def __init__(self, admit: Admit, limits: Limits, seat: Seat, *, tls: bool) -> None:
        self.admit, self.limits, self.seat, self.tls = admit, limits, seat, tls
        self.loop = asyncio.get_running_loop()
        self.counts = dict.fromkeys(COUNTS, 0)
        self.scratch = memoryview(bytearray(upgrade.MAX_HEAD_BYTES))
        """One read buffer for all gates: it is emptied before the event loop goes on."""
        self.gates: dict[Gate, float] = {}
        """Gate → when it is too late for it, on the loop's clock. All have the same time, so the oldest stands first."""
        self._timer: asyncio.TimerHandle | None = None
        self._answers: set[asyncio.Task[None]] = set()

    def enter(self, gate: Gate) -> None:
        """Its clock runs: one timer for all of them, since nearly all have left again when it rings."""
        patience_s = self.limits.handshake_timeout_s
        self.gates[gate] = self.loop.time() + patience_s
        if self._timer is None:
            self._timer = self.loop.call_later(patience_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        while self.gates:
            gate, deadline = next(iter(self.gates.items()))
            if deadline > self.loop.time():
                self._timer = self.loop.call_at(deadline, self._ring)
                return
            gate.late()

    def ask_later(self, gate: Gate, answer: Awaitable[Accept | Refuse]) -> None:
        """Wait for an answer without holding anybody up."""
        # A TaskGroup would end all other logins with the first that fails; these tasks are owned here, and ended by `close`.
        task = self.loop.create_task(self._pass_on(gate, answer))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _pass_on(self, gate: Gate, answer: Awaitable[Accept | Refuse]) -> None:
        try:
            decided = await answer
        except Exception:
            log.exception("admit failed")
            decided = _FAILED
        try:
            gate.answer(decided)
        except Exception:
            log.exception("an upgrade failed")
            gate.abort()

    async def close(self) -> None:
        """Drop every upgrade that is not answered yet."""
        for task in (waiting := tuple(self._answers)):
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
        for gate in tuple(self.gates):
            gate.abort()


class Gate(asyncio.BufferedProtocol):
    """One TCP connection until its upgrade is answered."""

    __slots__ = ("__weakref__", "_door", "_head", "_remote", "_request", "_state", "_tcp")

    _tcp: asyncio.Transport
    _request: upgrade.Request

    def __init__(self, door: Door, remote: str) -> None:
        """`remote`: address of the peer, without port."""
        self._door, self._remote = door, remote
        self._head = b""
        self._state = _READING

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP (and TLS) is up: the clock runs."""
        self._tcp = cast(asyncio.Transport, transport)
        self._door.enter(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._door.scratch

    def buffer_updated(self, nbytes: int) -> None:
        """More of the request. Bytes after it are kept for the adapter."""
        self._head += bytes(self._door.scratch[:nbytes])
        if self._state != _READING:  # a peer that does not wait for its answer
            if len(self._head) >= upgrade.MAX_HEAD_BYTES:
                self._tcp.pause_reading()
            return
        try:
            found = upgrade.read_request(self._head)
        except upgrade.Malformed as wrong:
            self._refuse(wrong.response, "malformed")
            return
        if found is not None:
            self._request, length = found
            self._head = self._head[length:]
            self._ask()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer went before it had its answer."""
        if self._state != _DONE:
            self._door.counts["abandoned"] += 1
        self._leave()

    def abort(self) -> None:
        """Drop TCP."""
        self._leave()
        self._tcp.abort()

    def _ask(self) -> None:
        self._state = _ASKING
        try:
            answer = self._door.admit(self._describe())
        except Exception:
            log.exception("admit failed")
            answer = _FAILED
        if isinstance(answer, (Accept, Refuse)):
            self.answer(answer)
        else:
            self._door.ask_later(self, answer)

    def _describe(self) -> Upgrade:
        request = self._request
        name, fingerprint = client_certificate(self._tcp) if self._door.tls else (None, None)
        return Upgrade(
            path=request.path,
            subprotocols=request.subprotocols,
            remote=self._remote,
            authorization=request.authorization,
            user_agent=request.user_agent,
            client_name=name,
            client_fingerprint=fingerprint,
            tls=self._door.tls,
        )

    def answer(self, answer: Accept | Refuse) -> None:
        """Send the answer; on a grant the adapter takes over."""
        if self._state == _DONE or self._tcp.is_closing():
            if isinstance(answer, Accept):
                answer.listener.on_close(1006, "the peer left before the upgrade was answered", True)
        elif isinstance(answer, Refuse):
            self._refuse(upgrade.refusal(answer), "refused")
        else:
            self._grant(answer)

    def _grant(self, accept: Accept) -> None:
        door, tcp = self._door, self._tcp
        agreed = deflate.negotiate(self._request.extensions) if door.limits.deflate and self._request.extensions else None
        self._leave()
        door.counts["upgraded"] += 1
        tcp.resume_reading()
        tcp.write(upgrade.switching(self._request, accept.subprotocol, agreed.answer if agreed else None))
        door.seat(tcp, accept.listener, agreed, door.limits, self._head)

    def late(self) -> None:
        """Its time is over."""
        if self._state == _ASKING:
            self._refuse(upgrade.refusal(_LATE), "timed_out")
        else:
            self._refuse(upgrade.response(408, "The upgrade request did not come in time."), "timed_out")

    def _refuse(self, response: bytes, counted_as: str) -> None:
        self._door.counts[counted_as] += 1
        self._leave()
        self._tcp.write(response)
        drain(self._tcp, self._door.limits.close_timeout_s, then=None)

    def _leave(self) -> None:
        self._state = _DONE
        self._door.gates.pop(self, None)


def client_certificate(tcp: asyncio.BaseTransport) -> tuple[str | None, str | None]:
    """(common name, SHA-256) of the verified client certificate of a TLS connection; (None, None) without one."""
    tls: Any = tcp.get_extra_info("ssl_object")
    raw = tls.getpeercert(binary_form=True) if tls is not None else None
    described = tls.getpeercert() if raw else None
    if not raw or not described:
        return None, None
    names = [value for part in described.get("subject", ()) for name, value in part if name == "commonName"]
    return (names[-1] if names else None), hashlib.sha256(raw).hexdigest()
