"""All programs in one process: start in order, run until told to stop, drain.

Decided here: the order of start and stop, what is said meanwhile, and what makes a start impossible.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version

from chargenet.clock import SystemClock
from chargenet.errors import SettingsError
from chargenet.model.words import Role
from chargenet.settings import Settings
from chargewatch import discovery, layout
from chargewatch.addresses import busy, refuse_busy
from chargewatch.api.app import COLLECTOR, Elsewhere, create_app
from chargewatch.memory import few_collections
from chargewatch.opening import open_everything, prepare_folder
from chargewatch.platform import RunningPlatform
from chargewatch.seeding import seed_fleet
from chargewatch.upkeep import refresh_keys
from chargewatch.web import Web

log = logging.getLogger(__name__)

Say = Callable[[str], None]
FLUSH_S = 1.0
SWITCH_S = 0.001
"""How long a worker thread may keep the interpreter from the event loop; Python's own 5 ms add up when a store works hard."""


async def serve(settings: Settings, say: Say, beside: Callable[[RunningPlatform], Awaitable[None]] | None = None) -> None:
    """Run until SIGTERM, SIGINT, or until `beside` returns; then drain. `say` gets the lines for the operator.

    Raises SettingsError, Unavailable or Conflict when it cannot start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, say) as platform:
        if beside is None:
            await stop.wait()
            say("stopping: charge points are told, what they said is being stored")
        else:
            await _first_of(stop, beside(platform))
        platform.closing = True


@asynccontextmanager
async def running(settings: Settings, say: Say) -> AsyncIterator[RunningPlatform]:
    """The platform, listening. Leaving the context drains it."""
    clock = SystemClock()
    refuse_busy(settings)
    prepare_folder(settings.data_dir)
    opened = await open_everything(settings, clock)
    try:
        seen = await opened.stores.stations.position()
        platform = RunningPlatform(settings, clock, opened, version("chargewatch"), seen)
        await seed_fleet(opened.stores, platform.fleet, platform.fleet_projection, clock.now_us() / 1e6)
        web = _bind_web(platform)
        port = await _listen(platform, web)
        inner = _bind_inner(platform)
        async with asyncio.TaskGroup() as tasks:
            background = _start(tasks, platform)
            serving = tasks.create_task(web.serve(), name="http")
            if inner is not None:
                tasks.create_task(inner.serve(), name="programs")
            await _announce(platform, web, port, say)
            if inner is not None:
                say(f"programs listening on http://{inner.address} ({', '.join(sorted(platform.lines))} run apart)")
            try:
                yield platform
            finally:
                platform.closing = True
                await _drain(platform, web)
                await serving
                if inner is not None:  # until now programs could hear what was said last
                    inner.stop()
                for line in platform.lines.values():
                    await line.close()
                for task in background:
                    task.cancel()
    finally:
        discovery.withdraw(settings.data_dir)
        await opened.close()


def _start(tasks: asyncio.TaskGroup, platform: RunningPlatform) -> list[asyncio.Task[None]]:
    background = [tasks.create_task(each.run(), name=f"projection {each.projection.name}") for each in platform.projectors]
    background.append(tasks.create_task(platform.collector.run(), name="collector"))
    background += [tasks.create_task(each.run(), name=each.name) for each in platform.programs]
    background.append(tasks.create_task(platform.loop_lag.run(), name="loop lag"))
    background.append(tasks.create_task(platform.end_old_connections(), name="old connections"))
    background.append(tasks.create_task(refresh_keys(platform.keys), name="keys"))
    return background


def _bind_web(platform: RunningPlatform) -> Web:
    listen = platform.settings.http.listen
    try:
        here = platform.here | {COLLECTOR}
        made = create_app(platform, platform.platform_metrics.api_answered, here=here, elsewhere=_elsewhere(platform))
        web = Web(made, platform.settings.http)
    except OSError as error:
        raise busy("http.listen", listen, "--http", error) from error
    platform.web_address = web.address
    return web


def _elsewhere(platform: RunningPlatform) -> Elsewhere | None:
    """What sends requests to programs apart, where there are any."""
    if not platform.lines:
        return None
    from chargewatch.apart.joints import elsewhere  # with an HTTP client, which takes its time to import: only where it is used

    return elsewhere(platform)


def _bind_inner(platform: RunningPlatform) -> Web | None:
    """The listener for programs apart, where there are any."""
    if not platform.lines:
        return None
    from chargewatch.apart.joints import collector_door, inner_web

    try:
        return inner_web(collector_door(platform), platform.settings)
    except OSError as error:
        raise busy("programs.listen", platform.settings.programs.listen, "programs.listen", error) from error


async def _listen(platform: RunningPlatform, web: Web) -> int:
    """The port of the OCPP listener. Outside of any task group, which would wrap the sentence for the operator."""
    try:
        return await platform.collector.listen()
    except SettingsError:
        web.close()
        raise
    except OSError as error:
        web.close()
        raise busy("collector.ocpp", platform.settings.collector.ocpp, "--ocpp", error) from error


async def _announce(platform: RunningPlatform, web: Web, port: int, say: Say) -> None:
    while not web.ready:  # noqa: ASYNC110 - uvicorn says it by an attribute only
        await asyncio.sleep(0.01)
    settings = platform.settings
    web_scheme, ocpp_scheme = ("https" if settings.http.tls_cert else "http"), ("wss" if settings.collector.tls_cert else "ws")
    api = f"{web_scheme}://{web.address}"
    discovery.announce(settings.data_dir, discovery.Running(api, platform.keys.secret, os.getpid(), _certificate(settings)))
    if platform.keys.empty:
        made = await platform.keys.create("first start", Role.ADMIN, platform.clock.now())
        say(f"admin key: {made.secret}")
    host = settings.collector.ocpp.host
    shown = f"[{host}]" if ":" in host else host
    say(f"OCPP listening on {ocpp_scheme}://{shown}:{port}/ocpp/<charge_point_id>")
    if layout.alerts_file(settings) is None:
        log.info("nobody is told of alerts: there is no %s", settings.data_dir / "alerts.toml")
    say(f"HTTP listening on {api} (API documentation at {api}/docs, metrics at {api}/metrics)")


def _certificate(settings: Settings) -> str:
    return str(settings.http.tls_cert.absolute()) if settings.http.tls_cert else ""


async def _drain(platform: RunningPlatform, web: Web) -> None:
    """Charge points first, then the API, then a moment for the read models: what they miss now they take from the journal later."""
    await platform.collector.drain(platform.settings.collector.drain_timeout_s)
    web.stop()
    head = platform.journal.durable_sequence
    try:
        async with asyncio.timeout(FLUSH_S):
            for projector in platform.projectors:
                projector.hurry()
            for projector in platform.projectors:
                await projector.wait_for(head)
    except TimeoutError:
        log.info("some read models are behind; they go on from the journal at the next start")


async def _first_of(stop: asyncio.Event, beside: Awaitable[None]) -> None:
    """Return when either ends; the other is cancelled."""
    async with asyncio.TaskGroup() as tasks:
        work = tasks.create_task(_await(beside))
        waiting = tasks.create_task(stop.wait())
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in (work, waiting):
            task.cancel()


async def _await(beside: Awaitable[None]) -> None:
    await beside


def run(settings: Settings, say: Say) -> None:
    """`serve` on a fast event loop."""
    import uvloop  # the door to the loop: imported where one is started

    sys.setswitchinterval(SWITCH_S)
    with few_collections():
        uvloop.run(serve(settings, say))
