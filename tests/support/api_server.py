"""The API over real adapters (SQLite, DuckDB, a journal on disk) on a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from chargenet.clock import SystemClock
from chargenet.journal import SegmentJournal
from chargenet.model.station import ChargePointState, ConnectorState, Site
from chargenet.model.token import TokenRow
from chargenet.model.words import RecordKind, Role
from chargenet.settings import load
from chargenet.storage.embedded import EmbeddedTelemetry
from chargenet.storage.migrations import migrate
from chargenet.storage.relational import SqlStores
from chargenet.stores import StationChanges
from chargewatch.api import create_app
from chargewatch.layout import journal_folder, sql_url
from chargewatch.web import Web
from tests.support.api import FakePlatform


class Served(msgspec.Struct):
    """Where it listens, and an admin key."""

    url: str
    key: str


@contextlib.contextmanager
def served(data_dir: Path, **given: Any) -> Iterator[Served]:
    """A platform with one charge point, site, token and frame in it; stopped at the end."""
    ready, ended = threading.Event(), threading.Event()
    found: list[Served] = []
    problems: list[BaseException] = []

    async def main() -> None:
        async with _platform(data_dir, given) as (platform, web):
            serving = asyncio.ensure_future(web.serve())
            telling = asyncio.ensure_future(platform.relay.run())
            while not web.ready:  # noqa: ASYNC110 uvicorn says it by an attribute only
                await asyncio.sleep(0.01)
            made = await platform.keys.create("schema", Role.ADMIN, platform.clock.now())
            found.append(Served(f"{'https' if platform.settings.http.tls_cert else 'http'}://{web.address}", made.secret))
            ready.set()
            await asyncio.to_thread(ended.wait)
            web.stop()
            telling.cancel()
            await serving

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            problems.append(error)
            ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(30)
    try:
        if problems:
            raise problems[0]
        yield found[0]
    finally:
        ended.set()
        thread.join(20)


@contextlib.asynccontextmanager
async def _platform(data_dir: Path, given: dict[str, Any]) -> AsyncIterator[tuple[FakePlatform, Web]]:
    own = {"data_dir": data_dir, "http.listen": "127.0.0.1:0", "http.failed_keys": 1_000_000}
    settings = load(None, {}, own | {name.replace("__", "."): value for name, value in given.items()})
    url = sql_url(settings)
    await asyncio.to_thread(migrate, url)
    stores = SqlStores(url)
    platform = FakePlatform(settings, stores)
    clock = SystemClock()
    journal = SegmentJournal.open(journal_folder(settings), clock=clock)
    platform.clock, platform.journal, platform.telemetry = clock, journal, EmbeddedTelemetry(data_dir, clock)  # type: ignore[assignment]
    await _fill(platform)
    try:
        yield platform, Web(create_app(platform), settings.http)
    finally:
        platform.closing = True
        journal.close()
        await platform.telemetry.close()
        await stores.close()


async def _fill(platform: FakePlatform) -> None:
    await platform.register("CP-1")
    platform.gateway.connected = {"CP-1"}
    await platform.stores.sites.put(Site(site_id="harbour", name="Harbour"))
    await platform.stores.tokens.put([TokenRow(value="CARD")])
    plug = ConnectorState(charge_point_id="CP-1", connector="1", evse_id=1, connector_id=1, status="Available")
    state = ChargePointState(charge_point_id="CP-1", connected=True, sequence=1)
    await platform.stores.stations.save(StationChanges(charge_points=[state], connectors=[plug]), 0, 1)
    platform.journal.append(
        received_at_us=platform.clock.now_us(),
        charge_point_id="CP-1",
        generation=1,
        protocol="ocpp1.6",
        kind=RecordKind.CALL,
        frame=b'[2,"1","Heartbeat",{}]',
        reply=b'[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]',
    )
