"""The end of a TCP connection whose peer may still be sending.

Decided here: after our last words (an HTTP refusal, a Close frame) we end our half and read on, throwing away, for a while. Closing
at once with unread data would make the kernel send RST, and the peer would never see why (RFC 9112 §9.6, RFC 6455 §7.1.1).
"""

from __future__ import annotations

import asyncio

_SCRATCH = memoryview(bytearray(65_536))
"""Nothing is ever read from it."""


class _Drain(asyncio.BufferedProtocol):
    __slots__ = ("_then", "_timer")

    def __init__(self, timer: asyncio.TimerHandle, then: asyncio.BaseProtocol | None) -> None:
        self._timer, self._then = timer, then

    def get_buffer(self, sizehint: int) -> memoryview:
        return _SCRATCH

    def buffer_updated(self, nbytes: int) -> None:
        pass

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        if self._then is not None:
            self._then.connection_lost(exc)


def drain(tcp: asyncio.Transport, timeout_s: float, *, then: asyncio.BaseProtocol | None) -> None:
    """End our half of `tcp` after what is queued, ignore what comes, drop it after `timeout_s`; `then` hears connection_lost."""
    if tcp.is_closing() or isinstance(tcp.get_protocol(), _Drain):
        return
    timer = asyncio.get_running_loop().call_later(timeout_s, tcp.abort)
    tcp.set_protocol(_Drain(timer, then))
    tcp.resume_reading()
    if tcp.can_write_eof():
        tcp.write_eof()
    else:  # TLS: its own closing alert, and the TLS layer reads on by itself
        tcp.close()
