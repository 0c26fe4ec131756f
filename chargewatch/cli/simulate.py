"""`chargewatch simulate`: a simulated network that connects to any OCPP server."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from chargenet.settings import load
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import note, print_line
from chargewatch.cli.session import CLOCK, Config, Data, Json
from simulator.scenario import Scenario, demo, read
from simulator.tally import Statistics

if TYPE_CHECKING:
    from simulator.network import Network

_EVERY_S = 5.0
_FRAME_S = 0.5
_HELP = "Where to; the charge point's id is appended. \\[default: where the platform of this folder's settings listens]"


def simulate(
    url: Annotated[str | None, typer.Option(metavar="ws://…", help=_HELP)] = None,
    charge_points: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="How many. \\[default: the scenario's, or 50]")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A scenario as TOML. \\[default: the demo's network]")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network, customers and faults.")] = 1,
    speed: Annotated[float, typer.Option(min=0.01, max=10_000, help="How many times faster than life.")] = 1.0,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="End after so many minutes. \\[default: at Ctrl-C]")] = None,
    password: Annotated[str | None, typer.Option(help="HTTP Basic password of every charge point; `-` asks for it.")] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificates (PEM) to trust for wss://.")] = None,
    json: Json = False,
    data: Data = None,
    config: Config = None,
) -> None:
    """Connect a simulated network over real WebSockets: mixed vendors and OCPP versions, sessions, faults, outages.

    Without a terminal, one line every 5 s. Exits with 4 when no charge point could connect.

    Example: chargewatch simulate --url ws://127.0.0.1:9000/ocpp --charge-points 50 --speed 10
    """
    from simulator.network import Network  # knows every OCPP message: a second to import, for this command alone

    settings = load(config, None, {"data_dir": data})
    where = url or f"{'wss' if settings.collector.tls_cert else 'ws'}://{settings.collector.ocpp}/ocpp"
    if password == "-":  # noqa: S105 means: ask
        password = typer.prompt("Password", hide_input=True, err=True)
    network = Network(chosen(scenario, charge_points), where, seed, speed, CLOCK, password=password, tls=_tls(where, ca))
    note(f"connecting to {where} (charge points: {len(network.charge_points)}); Ctrl-C ends it")
    asyncio.run(_run(network, minutes, json))
    said = network.statistics
    if json:
        print_line(said)
    else:
        typer.echo(said.line())
    if said.connects == 0:
        last = next(iter(said.problems), "there was no time to")
        raise CommandFailed(f"no charge point connected to {where}: {last}", Exit.NOT_REACHABLE)


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
    """Until Ctrl-C, SIGTERM or the end of the time."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(network.run()), tasks.create_task(_tell(network.statistics, as_json))]
        with contextlib.suppress(TimeoutError):  # how `minutes` ends it
            async with asyncio.timeout(None if minutes is None else minutes * 60):
                await stop.wait()
        for task in background:
            task.cancel()


async def _tell(now: Statistics, as_json: bool) -> None:
    console = Console()
    if as_json or not console.is_terminal:
        while True:
            await asyncio.sleep(_EVERY_S)
            if as_json:
                print_line(now)
            else:
                typer.echo(now.line())
    with Live(_table(now), console=console, auto_refresh=False, transient=True) as live:
        while True:
            await asyncio.sleep(_FRAME_S)
            live.update(_table(now), refresh=True)


def _table(now: Statistics) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in msgspec.structs.asdict(now).items():
        if name != "problems":
            table.add_row(name.replace("_", " "), f"{value:,.0f}")
    for problem, count in sorted(now.problems.items(), key=lambda row: -row[1])[:5]:
        table.add_row(f"[red]{count} ×", problem)
    return table
