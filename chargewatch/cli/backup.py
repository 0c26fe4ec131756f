"""`chargewatch backup` and `restore`: the data folder as one file."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import IO, Annotated

import typer

from chargenet.settings import load
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import note, print_json
from chargewatch.cli.session import CLOCK, Config, Data, Json

To = Annotated[Path, typer.Argument(metavar="FILE", help="The tar to write; - for standard output.")]
Source = Annotated[Path, typer.Argument(metavar="FILE", help="A tar that `backup` wrote; - for standard input.")]
_STANDARD = Path("-")


def backup(to: To, data: Data = None, json: Json = False, config: Config = None) -> None:
    """Write journal, SQLite, keys, diagnostics and firmware files of a data folder into one tar; the platform may run.

    Stores in PostgreSQL, InfluxDB and Prometheus are not in it: docs/deploy.md says how they are backed up.

    Example: chargewatch backup /backup/chargewatch.tar --data /var/lib/chargewatch
    """
    from chargewatch.backup import backup as write  # opens databases, not needed by the other commands

    settings = load(config, None, {"data_dir": data})
    with ExitStack() as stack:
        file = _open(to, stack, "xb")
        manifest = write(settings, file, version("chargewatch"), CLOCK.now())
    sql = "" if manifest.sql else "; the SQL stores are another server's: back them up as well"
    if json and to != _STANDARD:
        print_json({"files": len(manifest.files), "size_bytes": manifest.size, "sql": manifest.sql})
    else:
        note(f"{len(manifest.files)} files, {manifest.size >> 20} MiB{sql}")


def restore(source: Source, data: Data = None, json: Json = False, config: Config = None) -> None:
    """Unpack a backup into an empty data folder, once every byte was compared with what was backed up.

    The embedded telemetry is made again from the journal when the platform starts.

    Example: chargewatch restore /backup/chargewatch.tar --data /var/lib/chargewatch-new
    """
    from chargewatch.backup import restore as unpack  # as above

    settings = load(config, None, {"data_dir": data})
    with ExitStack() as stack:
        manifest = unpack(settings, _open(source, stack, "rb"))
    if json:
        print_json({"files": len(manifest.files), "size_bytes": manifest.size, "taken_at": manifest.taken_at, "sql": manifest.sql})
    else:
        note(f"{len(manifest.files)} files of {manifest.taken_at:%Y-%m-%d %H:%M} UTC, {manifest.size >> 20} MiB")


def _open(path: Path, stack: ExitStack, mode: str) -> IO[bytes]:
    if path == _STANDARD:
        return sys.stdout.buffer if mode == "xb" else sys.stdin.buffer
    try:
        return stack.enter_context(path.open(mode))
    except FileExistsError as error:
        raise CommandFailed(f"{path} is there already: a backup never overwrites another") from error
    except FileNotFoundError as error:
        raise CommandFailed(f"{path} does not exist", Exit.NOT_FOUND) from error
