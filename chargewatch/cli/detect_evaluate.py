"""`chargewatch detect evaluate`: how good the detectors are, measured on sessions with known faults put into them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn

from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, print_json, table
from chargewatch.cli.session import CLOCK, Json

if TYPE_CHECKING:
    from alerts.evaluation.evaluate import Report
    from alerts.evaluation.sessions import Session

_STYLES = {"missed": "bold red", "reached": "green"}


# Most of it is its options and their help.
def evaluate(
    sessions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sessions as CSV (docs/detection.md). \\[default: made up]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=1_000_000, help="The same seed gives the same figures.")] = 1,
    zone: Annotated[str, typer.Option(metavar="ZONE", help="IANA zone of local times in the file.")] = "UTC",
    events: Annotated[int, typer.Option(min=1, max=100, help="Faults for each kind, severity and rate of traffic.")] = 12,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a target is missed.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables as docs/detection.md has them.")] = False,
    json: Json = False,
) -> None:
    """Put known faults into sessions and see what the detectors find, how soon, and how often they cry wolf.

    Limits are fitted on the first part of time and connectors, figures come from the rest. Needs no platform; takes minutes.

    Example: chargewatch detect evaluate --sessions sessions.csv --zone Europe/London
    """
    from alerts.evaluation.evaluate import evaluate as run  # scikit-learn: half a second, for this command alone
    from alerts.evaluation.tables import markdown as as_markdown

    began = CLOCK.monotonic()
    recorded = _recorded(sessions, zone, seed)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        tasks: dict[str, TaskID] = {}

        def told(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        try:
            report = run(recorded, seed, told, events)
        except ValueError as error:
            raise CommandFailed(f"{sessions or 'the made-up sessions'}: {error}", Exit.USAGE) from None
    if json:
        print_json(msgspec.to_builtins(report))
    elif markdown:
        sys.stdout.write(as_markdown(report))
    else:
        _print(report)
    count = sum(row.events for row in report.faults) + sum(row.events for row in report.hard)
    note(f"{count:,} faults in {CLOCK.monotonic() - began:.0f} s")
    if strict and report.missed:
        raise CommandFailed(f"missed: {'; '.join(report.missed)}")


def _recorded(file: Path | None, zone: str, seed: int) -> Sequence[Session]:
    from alerts.evaluation import generator, sessions

    if file is None:
        note("no --sessions FILE: sessions are made up, with the statistics of public connectors (docs/detection.md)")
        return generator.generate(seed)
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CommandFailed(f"--zone {zone!r} is no IANA time zone, e.g. Europe/London", Exit.USAGE) from None
    if not file.exists():
        raise CommandFailed(f"{file}: there is no such file", Exit.NOT_FOUND)
    found = sessions.read(file, zone)
    if found.unusable:
        note(f"{found.unusable:,} lines of {file.name} could not be used")
    return found.sessions


def _print(report: Report) -> None:
    from alerts.evaluation.tables import about, tables

    console().print(about(report))
    for each in tables(report):
        console().print(f"\n{each.title}", style="bold")
        made = table(each.columns, each.rows)
        for column in made.columns:
            column.overflow = "ellipsis"
        made.row_styles = [_STYLES.get(row[-1], "") for row in each.rows]
        console().print(made)
