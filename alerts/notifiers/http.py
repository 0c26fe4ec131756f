"""The door to HTTP. Decided here: which addresses may be connected to, and that a name is looked up once.

No redirect is followed, no proxy of the environment is used, answers are read up to a limit, an attempt has one deadline.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable

import httpcore
from httpcore import SOCKET_OPTION, AsyncNetworkBackend, AsyncNetworkStream

from alerts.notifiers.port import HttpAnswer, HttpFailure, HttpRequest

MAX_ANSWER = 16 << 10
MAX_CONNECTIONS = 32
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Door:
    """Implements `alerts.notifiers.port.HttpDoor`. Make it where it is used: connections belong to one event loop."""

    def __init__(self, *, allow_private: bool = False, ssl_context: ssl.SSLContext | None = None) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or ssl.create_default_context(),
            max_connections=MAX_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=_Checked(allow_private),
        )

    async def post(self, request: HttpRequest, timeout_s: float) -> HttpAnswer:
        """One request. Raises HttpFailure, whose text names neither the URL nor a header."""
        headers = {"User-Agent": "chargewatch", "Accept": "*/*", **request.headers}
        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
        try:
            async with asyncio.timeout(timeout_s), self._pool.stream(
                "POST", request.url, headers=list(headers.items()), content=request.body, extensions={"timeout": limits}
            ) as answer:  # fmt: skip
                body = b""
                async for chunk in answer.aiter_stream():
                    body += chunk
                    if len(body) >= MAX_ANSWER:
                        break
                names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                return HttpAnswer(answer.status, names, body[:MAX_ANSWER])
        except (TimeoutError, httpcore.TimeoutException):
            raise HttpFailure(f"no answer within {timeout_s:g} s") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise HttpFailure(f"no connection: {error or type(error).__name__}") from None

    async def close(self) -> None:
        """Let go of connections."""
        await self._pool.aclose()


class _Checked(AsyncNetworkBackend):
    """Resolves, checks, and connects to what was checked: a second look-up could give another address."""

    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> AsyncNetworkStream:
        """See AsyncNetworkBackend. Tries the addresses of a name in order."""
        addresses = await _resolved(host, port)
        if not self._allow_private and not all(is_public(address) for address in addresses):
            problem = "its address is private, and alerts.allow_private_addresses is false"
            raise HttpFailure(problem, forbidden=True)
        last: Exception | None = None
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
        raise last or httpcore.ConnectError("the name has no address")

    async def sleep(self, seconds: float) -> None:
        """See AsyncNetworkBackend."""
        await asyncio.sleep(seconds)


async def _resolved(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("its name cannot be resolved") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(text: str) -> bool:
    """Everybody's address: not loopback, private, link-local, multicast or reserved, however it is wrapped in IPv6."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return address.is_global and not address.is_multicast
