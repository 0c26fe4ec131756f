"""A server that is nothing but one transport: `python -m tests.benchmarks.transport_server picows|websockets PORT [CERT KEY]`.

It answers each text message with a fixed call result, as the bare peer of tests.benchmarks.peers does, and otherwise keeps still.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import signal
import sys
from pathlib import Path

import uvloop

from collector.tls import server_context
from collector.transport.choose import choose
from collector.transport.port import Accept, Limits, Socket, Upgrade


class Echo:
    """The least that a listener can be."""

    __slots__ = ("socket",)

    def __init__(self) -> None:
        self.socket: Socket | None = None

    def on_open(self, socket: Socket) -> None:
        self.socket = socket

    def on_text(self, text: bytes) -> None:
        assert self.socket is not None
        self.socket.send(b'[3,"%b",{}]' % text[4 : text.index(b'"', 4)])

    def on_binary(self, size: int) -> None: ...
    def on_pong(self) -> None: ...

    def on_close(self, code: int, reason: str, lost: bool) -> None:
        self.socket = None


def admit(upgrade: Upgrade) -> Accept:
    """Everybody."""
    return Accept(Echo(), upgrade.subprotocols[0] if upgrade.subprotocols else None)


async def main(adapter: str, port: int, *papers: str) -> None:
    tls = server_context(Path(papers[0]), Path(papers[1])) if papers else None
    server = await choose(adapter)(admit, "127.0.0.1", port, limits=Limits(handshake_timeout_s=60.0), tls=tls)
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, done.set)
    gc.freeze()
    await done.wait()
    await server.close()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
