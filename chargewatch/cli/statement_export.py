"""`chargewatch statement export`: the documents of a month as files. Decided here: a pool of processes draws, and a file that is
there is not drawn again, so an export that was stopped goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from billing_reports.statement import Statement
from chargenet.workers import pool as worker_pool
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient, path
from chargewatch.cli.output import note, print_json
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

FORMS = ("pdf", "xml", "csv", "json")
_ALL = 1_000_000
CORES = os.cpu_count() or 1


def export(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Which month.")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the files; it is made.")],
    form: Annotated[str, typer.Option("--format", help="pdf, xml (the e-invoice alone), csv or json.")] = "pdf",
    state: Annotated[str, typer.Option(help="final, draft or credited.")] = "final",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that draw. \\[default: one per processor]")] = CORES,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Write the statements of a month as files, one each. Run it again and it goes on where it was stopped.

    Example: chargewatch statement export --month 2026-10 --to statements/
    """
    if form not in FORMS:
        raise CommandFailed(f"{form!r} is no format: use one of {', '.join(FORMS)}", Exit.USAGE)
    to.mkdir(parents=True, exist_ok=True)
    with Target(data, api, key, config).client() as client:
        page = client.pages(dict[str, Any], "/statements", _ALL, month=month, state=state)
        names = {each["id"]: to / f"{each['number'] or each['id']}.{form}" for each in page.items}
        left = {name: file for name, file in names.items() if not file.exists()}
        _write(client, left, len(names), form, workers, quiet=json)
    if json:
        print_json({"files": len(names), "written": len(left), "folder": str(to)})
    else:
        note(f"{len(left)} files written to {to}" + (f", {len(names) - len(left)} were there" if len(left) < len(names) else ""))


def _write(client: ApiClient, left: dict[str, Path], total: int, form: str, workers: int, *, quiet: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress, worker_pool(workers) as pool:
        bar = progress.add_task(f"statements as {form}", total=total, completed=total - len(left))
        running: set[Future[None]] = set()
        for body, file in _bodies(client, left):
            running.add(pool.submit(draw, body, str(file), form))
            if len(running) >= 4 * workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                progress.update(bar, advance=_checked(done))
        progress.update(bar, advance=_checked(wait(running).done))


def _bodies(client: ApiClient, left: dict[str, Path]) -> Iterator[tuple[bytes, Path]]:
    for name, file in left.items():
        yield client.call("GET", path("statements", name), params={"whole": True}), file


def _checked(done: set[Future[None]]) -> int:
    """How many; the first failure is raised."""
    for each in done:
        each.result()
    return len(done)


def draw(body: bytes, file: str, form: str) -> None:
    """One document. It appears under its name only when it is whole."""
    from billing_reports.formats import statement_file  # plots and PDF: only the workers need them

    target = Path(file)
    partial = target.with_name(f".{target.name}.part")
    partial.write_bytes(statement_file(msgspec.json.decode(body, type=Statement), form))
    partial.replace(target)
