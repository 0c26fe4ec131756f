"""Asking another process of the platform over HTTP. Decided here: what is said when it does not answer, and that nothing is
followed, cached or retried here; who asks knows what a silence means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec

from chargenet.errors import StoreUnavailable
from chargenet.settings import Secret, Settings
from chargewatch.apart.wire import DOOR, MEDIA_TYPE, TOKEN_HEADER, decode, encode
from chargewatch.api.platform import HealthCheck

Shape = TypeVar("Shape")
Query = Mapping[str, str | int] | None
CONNECT_S = 5.0
CHECK_S = 3.0
"""A health check is waited for by somebody."""


class Line:
    """To the process `name` at `url`. Sync for worker threads, async for the event loop."""

    def __init__(self, name: str, url: str, token: Secret | None, timeout_s: float) -> None:
        self.name, self.url = name, url.rstrip("/")
        headers = {"Content-Type": MEDIA_TYPE} | ({} if token is None else {TOKEN_HEADER: token.reveal().encode()})
        options: dict[str, Any] = {
            "base_url": self.url + DOOR, "headers": headers, "trust_env": False,
            "timeout": httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
        }  # fmt: skip
        self._sync = httpx.Client(**options)
        self._async = httpx.AsyncClient(**options)

    def __repr__(self) -> str:
        return f"Line({self.name!r}, {self.url!r})"

    async def ask(self, path: str, shape: type[Shape], *, body: Any = None, wait_s: float = 0.0, query: Query = None) -> Shape:
        """GET, or POST where there is a body. `wait_s`: how much longer an answer may take than usual. Raises StoreUnavailable."""
        timeout = self._async.timeout
        longer = httpx.Timeout(timeout.read, connect=timeout.connect)
        longer.read = (timeout.read or 0.0) + wait_s
        content = None if body is None else encode(body)
        try:
            response = await self._async.request(_method(body), path, params=query, content=content, timeout=longer)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        return self._read(response, shape)

    def ask_now(self, path: str, shape: type[Shape], *, body: Any = None, query: Query = None) -> Shape:
        """The same, in a worker thread."""
        content = None if body is None else encode(body)
        try:
            response = self._sync.request(_method(body), path, params=query, content=content)
        except httpx.HTTPError as error:
            raise self._silent(error) from error
        return self._read(response, shape)

    def _read(self, response: httpx.Response, shape: type[Shape]) -> Shape:
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise StoreUnavailable(self.name, f"{self.url} refuses our programs.token: give all processes the same")
        if response.status_code != httpx.codes.OK:
            raise StoreUnavailable(self.name, f"{self.url} answers {response.status_code}: {response.text[:300]}")
        try:
            return decode(response.content, shape)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(self.name, f"{self.url} is of another version: {error}") from error

    def _silent(self, error: httpx.HTTPError) -> StoreUnavailable:
        return StoreUnavailable(self.name, f"{self.url} does not answer: {error or type(error).__name__}")

    async def health(self) -> HealthCheck:
        """Whether the process is well, in its own words."""
        name = f"{self.name} (apart)"
        try:
            async with asyncio.timeout(CHECK_S):
                checks = await self.ask("/checks", list[HealthCheck])
        except TimeoutError:
            return HealthCheck(name=name, ok=False, detail=f"{self.url} gives no answer within {CHECK_S:g} s")
        except StoreUnavailable as error:
            return HealthCheck(name=name, ok=False, detail=error.problem)
        failing = [f"{each.name}: {each.detail}" for each in checks if not each.ok]
        said = failing or [f"{each.name}: {each.detail}" for each in checks]
        return HealthCheck(name=name, ok=not failing, detail="; ".join(said))

    async def close(self) -> None:
        """Let go of the connections."""
        self._sync.close()
        await self._async.aclose()


def _method(body: Any) -> str:
    return "GET" if body is None else "POST"


def lines_of(settings: Settings) -> dict[str, Line]:
    """To each program that runs apart."""
    chosen = settings.programs
    return {name: Line(name, url, chosen.token, chosen.timeout_s) for name, url in chosen.apart.items()}
