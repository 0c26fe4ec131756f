"""`chargewatch simulate`: charge points for a platform that runs elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from chargenet.clock import SystemClock
from simulator.network import Network
from simulator.scenario import Scenario, read
from simulator.scenario import demo as demo_scenario
from simulator.tally import Statistics


def simulate(
    url: Annotated[str, typer.Option(help="Where ids are appended to, e.g. ws://127.0.0.1:9000/ocpp.")],
    charge_points: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="How many. [default: the scenario's, or 50]")
    ] = None,
    scenario: Annotated[Path | None, typer.Option(metavar="FILE", help="A scenario as TOML. [default: the demo's network]")] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same network.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=10_000, help="Let the network live so many times faster.")] = 1.0,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="End after so many minutes. [default: at Ctrl-C]")] = None,
    password: Annotated[
        str | None, typer.Option(envvar="CHARGEWATCH_SIMULATE_PASSWORD", help="HTTP Basic password, the same for all.")
    ] = None,
) -> None:
    """Simulate charge points that connect to URL over real WebSockets, in OCPP 1.6, 2.0.1 and 2.1.

    Example: chargewatch simulate --url ws://127.0.0.1:9000/ocpp --charge-points 200 --speed 10
    """
    chosen = _scenario(scenario, charge_points)
    network = Network(chosen, url, seed, speed, SystemClock(), password=password)
    asyncio.run(_run(network, minutes, Console()))


def _scenario(path: Path | None, charge_points: int | None) -> Scenario:
    if path is None:
        return demo_scenario(charge_points or 50)
    found = read(path)
    return found if charge_points is None else msgspec.structs.replace(found, charge_points=charge_points)


async def _run(network: Network, minutes: float | None, console: Console) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(network.run()), tasks.create_task(_show(network.statistics, console))]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if minutes is None else minutes * 60):
                await stop.wait()
        for task in background:
            task.cancel()
    console.print(_line(network.statistics), soft_wrap=True)


async def _show(statistics: Statistics, console: Console) -> None:
    if not console.is_terminal:
        while True:
            await asyncio.sleep(5)
            console.print(_line(statistics), soft_wrap=True, highlight=False)
    with Live(_table(statistics), console=console, auto_refresh=False) as live:
        while True:
            await asyncio.sleep(0.5)
            live.update(_table(statistics), refresh=True)


def _line(now: Statistics) -> str:
    return (
        f"connected {now.connected}/{now.charge_points}  sessions {now.sessions} open, {now.sessions_stopped} ended  "
        f"energy {now.energy_wh / 1000:.1f} kWh  frames {now.frames_sent} sent, {now.frames_received} received  errors {now.errors}"
    )


def _table(now: Statistics) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in msgspec.structs.asdict(now).items():
        if name != "problems":
            table.add_row(name.replace("_", " "), f"{value:,.0f}")
    for problem, count in sorted(now.problems.items(), key=lambda row: -row[1])[:5]:
        table.add_row(f"[red]{count} ×", problem)
    return table
