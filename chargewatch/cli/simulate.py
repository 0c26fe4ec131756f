"""`chargewatch simulate`: a simulated network that connects to any OCPP server."""

from __future__ import annotations

import asyncio
import signal
import ssl
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from chargenet.settings import load
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import note, print_line
from chargewatch.cli.session import CLOCK, Config, Data, Json
from simulator.network import Network
from simulator.scenario import Scenario, demo, read

_EVERY_S = 5.0
_HELP = "Where to: the charge point's id is appended. [default: where this machine's platform listens]"


def simulate(
    url: Annotated[str | None, typer.Option(metavar="ws://…", help=_HELP)] = None,
    charge_points: Annotated[int | None, typer.Option(min=1, max=100_000, help="How many. [default: as the scenario says]")] = None,
    scenario: Annotated[Path | None, typer.Option(metavar="FILE", help="What the network is made of, as TOML.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network, customers and faults.")] = 1,
    speed: Annotated[float, typer.Option(min=0.01, max=10_000, help="How many times faster than life.")] = 1.0,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after so many; without it, at Ctrl-C.")] = None,
    password: Annotated[str | None, typer.Option(help="HTTP Basic password of every charge point.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificates (PEM) to trust for wss://.")] = None,
    json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Connect a simulated network over real WebSockets: mixed vendors and OCPP versions, sessions, faults, outages.

    Example: chargewatch simulate --url ws://127.0.0.1:9000/ocpp --charge-points 50 --speed 10
    """
    settings = load(config, None, {"data_dir": data})
    scheme = "wss" if settings.collector.tls_cert else "ws"
    where = url or f"{scheme}://{settings.collector.ocpp}/ocpp"
    network = Network(chosen(scenario, charge_points), where, seed, speed, CLOCK, password=password, tls=_tls(where, ca))
    note(f"{len(network.charge_points)} charge points connect to {where}; Ctrl-C ends it")
    asyncio.run(_run(network, minutes, json))
    said = network.statistics
    if json:
        print_line(said)
    else:
        typer.echo(said.line())
    if said.connects == 0:
        last = next(iter(said.problems), "no answer")
        raise CommandFailed(f"no charge point could connect to {where}: {last}", Exit.NOT_REACHABLE)


def chosen(file: Path | None, charge_points: int | None) -> Scenario:
    """The scenario of a file or the built-in one, with as many charge points as asked for. Raises SettingsError."""
    if file is None:
        return demo(charge_points or 50)
    given = read(file)
    return given if charge_points is None else msgspec.structs.replace(given, charge_points=charge_points)


def _tls(url: str, ca: Path | None) -> ssl.SSLContext | None:
    if not url.startswith("wss:"):
        return None
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise CommandFailed(f"{ca} cannot be used as certificates: {error.strerror or error}", Exit.USAGE) from error


async def _run(network: Network, minutes: float | None, as_json: bool) -> None:
    """Until Ctrl-C, SIGTERM or the end of the time; a line of progress every five seconds."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(network.run(), name="network")
        telling = tasks.create_task(_tell(network, as_json), name="progress")
        try:
            async with asyncio.timeout(None if minutes is None else minutes * 60):
                await stop.wait()
        except TimeoutError:
            note("the time is over")
        running.cancel()
        telling.cancel()


async def _tell(network: Network, as_json: bool) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        if as_json:
            print_line(network.statistics)
        else:
            typer.echo(network.statistics.line())
