"""`chargewatch rollout simulate`: how often the gate is right, tried on fleets that do not exist."""

from __future__ import annotations

import sys
from os import cpu_count
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from chargewatch.cli.output import console, note, print_json, table
from chargewatch.cli.session import CLOCK, Data, Json

if TYPE_CHECKING:
    from firmware_orchestrator.simulation.study import Cell

_COLUMNS = ("case", "decides", "canary→", "runs→", "halted→", "held→", "exposed→", "days until halted→")
_TITLES = {
    "false halts": "False halts: the firmware is fine, 14 days of canary",
    "detection": "Detection: the firmware is worse, 14 days of canary",
    "rollouts": "Whole rollouts: 1,000 charge points in waves of 10, 50, 250 and 640, 50 as holdout",
}


def simulate(
    runs: Annotated[int, typer.Option(min=1, max=100_000, help="Rollouts of each canary; whole rollouts a third of it.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=1_000_000, help="The same seed gives the same figures.")] = 1,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes. \\[default: one per processor]")] = None,
    json: Json = False,
    data: Data = None,
) -> None:
    """Try the gate that ships on synthetic fleets: false halts, detection, exposed charge points, beside two common rules.

    Needs no platform. The default takes half a minute of processor time; the table in docs/gate.md was made with --runs 100.

    Example: chargewatch rollout simulate --runs 1000
    """
    from firmware_orchestrator.simulation.study import cases, study  # numpy: a tenth of a second, for this command alone

    began, total = CLOCK.monotonic(), sum(1 for _ in cases(runs))
    bar = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*bar, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        cells = list(progress.track(study(runs, seed, workers or cpu_count() or 1), total, description="rows of the tables"))
    if json:
        print_json(cells)
    else:
        for name, title in _TITLES.items():
            console().print(f"\n{title}", style="bold")
            console().print(table(_COLUMNS, (_row(cell) for cell in cells if cell.table == name)))
    note(f"{sum(cell.runs for cell in cells):,} rollouts in {CLOCK.monotonic() - began:.0f} s")


def _row(cell: Cell) -> tuple[str, ...]:
    days = "" if cell.days is None else f"{cell.days:.1f}"
    shares = (f"{cell.halted:.1%}", f"{cell.held:.1%}")
    return (cell.case, cell.judge, str(cell.canary), str(cell.runs), *shares, f"{cell.exposed:.0f}", days)
