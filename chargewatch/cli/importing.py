"""`chargewatch import sessions`: an operator's history from CSV, so that reports work on the first day."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from billing_reports.import_map import ImportMap, read_map
from billing_reports.importing import ImportedSession, Reject, read_sessions
from chargenet.errors import InvalidFile
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import console, note, print_json, table
from chargewatch.cli.price import read_file
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Import: sessions of another system.")
CHUNK = 2000
_SHOWN = 10


class Outcome(msgspec.Struct, kw_only=True):
    """What became of a file."""

    file: str
    rows: int = 0
    usable: int = 0
    new: int = 0
    rejected: int = 0
    reasons: dict[str, int] = {}
    dry_run: bool = False


@app.command()
def sessions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with one session per row.")],
    map_: Annotated[Path, typer.Option("--map", metavar="MAP.toml", help="Which column is what: docs/reports.md.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read and check; nothing is stored.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write line and reason of every rejected row there.")
    ] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Import sessions from a CSV file. The same file again changes nothing; what cannot be used is named by line and reason.

    Example: chargewatch import sessions sessions.csv --map map.toml --dry-run
    """
    wanted = read_map(read_file(map_), map_.name)
    made = Outcome(file=file.name, dry_run=dry_run)
    rows, refused = _read(file, wanted, made, quiet=json)
    if rejects is not None:
        _write(rejects, refused)
    if not dry_run and rows:
        with Target(data, api, key, config).client() as client:
            for part in _shown_parts(rows, "storing", quiet=json):
                body = {"sessions": [_plain(each) for each in part]}
                made.new += msgspec.json.decode(client.call("POST", "/reports/import", json=body), type=dict[str, int])["new"]
    if json:
        print_json(made)
    else:
        _say(made, refused)


def read_all(file: Path, wanted: ImportMap, quiet: bool) -> tuple[list[ImportedSession], list[Reject]]:
    """Every row of a file, with a progress bar. Raises InvalidFile, and CommandFailed where it cannot be read."""
    rows: list[ImportedSession] = []
    refused: list[Reject] = []
    try:
        with file.open(encoding=wanted.encoding, newline="") as lines, _bar(quiet) as progress:
            task = progress.add_task(f"reading {file.name}", total=file.stat().st_size)
            for item in read_sessions(_counted(lines, progress, task), wanted, file.name):
                if isinstance(item, Reject):
                    refused.append(item)
                else:
                    rows.append(item)
            progress.update(task, completed=file.stat().st_size)
    except OSError as error:
        code = Exit.NOT_FOUND if isinstance(error, FileNotFoundError) else Exit.FAILED
        raise CommandFailed(f"{file}: {error.strerror}", code) from None
    except (UnicodeDecodeError, LookupError) as error:
        raise InvalidFile(file.name, None, "", f"cannot be read as {wanted.encoding}: {error}") from None
    return rows, refused


def _read(file: Path, wanted: ImportMap, made: Outcome, *, quiet: bool) -> tuple[list[ImportedSession], list[Reject]]:
    rows, refused = read_all(file, wanted, quiet)
    made.rows, made.usable, made.rejected = len(rows) + len(refused), len(rows), len(refused)
    made.reasons = dict(Counter(each.reason for each in refused).most_common())
    return rows, refused


def _counted(lines: Any, progress: Progress, task: Any) -> Iterator[str]:
    done = 0
    for number, line in enumerate(lines):
        done += len(line)
        if number % 1000 == 0:
            progress.update(task, completed=done)
        yield line


def _bar(quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=quiet)


def _shown_parts(rows: list[ImportedSession], what: str, *, quiet: bool) -> Iterator[list[ImportedSession]]:
    with _bar(quiet) as progress:
        task = progress.add_task(what, total=len(rows))
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            yield part
            progress.advance(task, len(part))


def _plain(row: ImportedSession) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(row)
    return fields


def _write(out: Path, refused: list[Reject]) -> None:
    with out.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text)
        writer.writerow(("line", "reason"))
        writer.writerows((each.line, each.reason) for each in refused)


def _say(made: Outcome, refused: list[Reject]) -> None:
    if refused:
        console().print(table(("line→", "rejected because"), [(each.line, each.reason) for each in refused[:_SHOWN]]))
        if len(refused) > _SHOWN:
            note(f"{len(refused) - _SHOWN} more were rejected; --rejects FILE lists all of them")
    verb = "would be imported" if made.dry_run else f"imported, {made.new} of them new"
    note(f"{made.file}: {made.usable} of {made.rows} sessions {verb}")
