"""Serves the HTTP API on the platform's event loop. Decided here: bounds of the server, and that signals are not its business."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from chargenet.settings import Address, HttpSettings

MAX_HEAD_BYTES = 16_384


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The platform owns SIGTERM and SIGINT: it drains the collector first."""
        yield


class Web:
    """One HTTP listener."""

    def __init__(self, app: ASGIApp, settings: HttpSettings) -> None:
        self._socket = bind(settings.listen)
        self.address = Address(f"{settings.listen.host}:{self._socket.getsockname()[1]}")
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=3,
            limit_concurrency=1000,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            http="h11",
            ws="none",
            lifespan="on",
            ssl_certfile=str(settings.tls_cert) if settings.tls_cert else None,
            ssl_keyfile=str(settings.tls_key) if settings.tls_key else None,
        )
        self._server = _Server(config)

    async def serve(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._socket])

    def close(self) -> None:
        """Let go of the address without having served."""
        self._socket.close()

    @property
    def ready(self) -> bool:
        """Requests are answered."""
        return self._server.started

    def stop(self) -> None:
        """Finish what is being answered and return from `serve`."""
        self._server.should_exit = True


def bind(address: Address) -> socket.socket:
    """A listening socket. Raises OSError."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
