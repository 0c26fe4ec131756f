"""Applications of `chargewatch.apart` on real loopback sockets, on the test's own event loop or in a thread of their own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

from starlette.types import ASGIApp

from chargenet.settings import HttpSettings
from chargenet.settings.values import Address, Secret
from chargewatch.apart.joints import Inner
from chargewatch.apart.line import Line
from chargewatch.web import Web

TOKEN = Secret("a-token-of-the-programs-alone")


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Its URL, on this event loop."""
    web = Web(app, HttpSettings(listen=Address("127.0.0.1:0")))
    serving = asyncio.ensure_future(web.serve())
    while not web.ready:  # noqa: ASYNC110 - uvicorn says it by an attribute only
        await asyncio.sleep(0.01)
    try:
        yield f"http://{web.address}"
    finally:
        web.stop()
        await serving


@contextlib.contextmanager
def in_a_thread(app: ASGIApp) -> Iterator[str]:
    """The same for tests that ask from a thread which must not wait for itself."""
    ready, ended = threading.Event(), threading.Event()
    found: list[str] = []

    async def main() -> None:
        async with served(app) as url:
            found.append(url)
            ready.set()
            await asyncio.to_thread(ended.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    try:
        assert ready.wait(30), "the door does not open"
        yield found[0]
    finally:
        ended.set()
        thread.join(20)


@contextlib.asynccontextmanager
async def behind(app: ASGIApp, token: Secret = TOKEN) -> AsyncIterator[Line]:
    """A line to a door (made by `door`)."""
    async with served(Inner(app, None)) as url:
        line = Line("collector", url, token, 5.0)
        try:
            yield line
        finally:
            await line.close()
