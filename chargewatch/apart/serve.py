"""`chargewatch run PROGRAM`: start in order, run until told to stop. Decided here: what makes a start impossible, and what waits.

SQL must be there; a collector that is not there yet is waited for, since all start together after a power cut.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import cast

from chargenet.clock import SystemClock
from chargenet.errors import first_of
from chargenet.settings import Settings
from chargewatch.addresses import busy
from chargewatch.apart.joints import inner_web, program_door
from chargewatch.apart.program import ProgramProcess
from chargewatch.api.app import create_app
from chargewatch.api.platform import Platform
from chargewatch.app import SWITCH_S
from chargewatch.memory import few_collections
from chargewatch.opening import open_stores, prepare_folder
from chargewatch.web import Web

Say = Callable[[str], None]


async def serve(settings: Settings, program: str, say: Say) -> None:
    """Run until SIGTERM or SIGINT. Raises SettingsError, Unavailable or Conflict when it cannot start."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    prepare_folder(settings.data_dir)
    process = ProgramProcess(settings, SystemClock(), await open_stores(settings), program, version("chargewatch"))
    try:
        say(f"{program}: waiting for the collector at {settings.programs.collector_url}")
        async with asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(process.open())
            stopping = tasks.create_task(stop.wait())
            await asyncio.wait({opening, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                opening.cancel()
            stopping.cancel()
        if not stop.is_set():
            await _serve(process, stop, say)
    except BaseExceptionGroup as group:
        raise first_of(group) from group
    finally:
        await process.close()


async def _serve(process: ProgramProcess, stop: asyncio.Event, say: Say) -> None:
    web = _bind(process)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(process.run(), name=process.program)
        serving = tasks.create_task(web.serve(), name="http")
        while not web.ready:  # noqa: ASYNC110 - uvicorn says it by an attribute only
            await asyncio.sleep(0.01)
        say(f"{process.program} listening on http://{web.address}")
        await stop.wait()
        say("stopping")
        process.closing = True
        web.stop()
        await serving
        running.cancel()


def _bind(process: ProgramProcess) -> Web:
    # As much of the platform as the routes of this program ask; requests for others go elsewhere before they come here.
    platform = cast("Platform", process)
    api = create_app(platform, process.platform_metrics.api_answered, here=process.here)
    try:
        return inner_web(program_door(process, api), process.settings)
    except OSError as error:
        raise busy("programs.listen", process.settings.programs.listen, "--listen", error) from error


def run(settings: Settings, program: str, say: Say) -> None:
    """`serve` on a fast event loop."""
    import uvloop  # the door to the loop: imported where one is started

    sys.setswitchinterval(SWITCH_S)
    with few_collections():
        uvloop.run(serve(settings, program, say))
