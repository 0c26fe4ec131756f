"""`chargewatch diagnostics`: ask for logs, list them, fetch them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from chargenet.commands import CommandOutcome
from chargenet.model.words import OutcomeStatus
from chargewatch.cli.call import Timeout, send
from chargewatch.cli.charge_points import Id, Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, parse_when, print_json, size
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target
from chargewatch.cli.transactions import Only

app = typer.Typer(no_args_is_help=True, help="Diagnostics: request, list, fetch, remove.")
FileId = Annotated[str, typer.Argument(metavar="FILE_ID", help="As `diagnostics list` shows it.")]
_COLUMNS = ("file id", "charge point", "request→", "name", "size→", "received")


class _Requested(msgspec.Struct):
    outcome: CommandOutcome
    request_id: int | None = None
    expires_at: datetime | None = None


@app.command()
def request(
    charge_point_id: Id,
    since: Annotated[str | None, typer.Option(metavar="T", help="Only log entries after this instant (or age).")] = None,
    until: Annotated[str | None, typer.Option(metavar="T", help="Only log entries before this instant (or age).")] = None,
    security: Annotated[bool, typer.Option("--security", help="The security log instead of the diagnostics log.")] = False,
    use_log: Annotated[bool, typer.Option("--use-log", help="OCPP 1.6: GetLog instead of GetDiagnostics.")] = False,
    timeout: Timeout = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Ask a charge point to upload its diagnostics to this platform.

    Example: chargewatch diagnostics request CP-1 --since 1d
    """
    now = CLOCK.now()
    begin, end = parse_when(since, now), parse_when(until, now)
    body: dict[str, Any] = {"log_type": "SecurityLog" if security else "DiagnosticsLog", "use_log": use_log, "timeout_s": timeout}
    body |= {"since": begin and begin.isoformat(), "until": end and end.isoformat()}
    with Target(data, api, key, config).client() as client:
        answer = send(client, path("charge-points", charge_point_id, "diagnostics"), body, timeout, _Requested)
    if json:
        print_json(answer)
    else:
        note(f"request {answer.request_id}: {answer.outcome.status.value} {answer.outcome.detail or ''}")
        note("`chargewatch diagnostics list` shows the file when it has arrived")
    if answer.outcome.status is not OutcomeStatus.ACCEPTED:
        raise typer.Exit(Exit.REFUSED)


@app.command("list")
def list_(
    charge_point: Only = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List diagnostics files, newest first.

    Example: chargewatch diagnostics list --charge-point CP-1
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.diagnostics(charge_point_id=charge_point, limit=limit)
    rows = (
        (each.file_id, each.charge_point_id, each.request_id, each.name, size(each.size_bytes), each.received_at)
        for each in page.items
    )
    listing(page, _COLUMNS, rows, as_json=json, nothing="no diagnostics file has arrived")


@app.command()
def remove(
    file_id: FileId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Remove a diagnostics file from the platform's disk; it stays listed.

    Example: chargewatch diagnostics remove 3f2a0c…
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("DELETE", path("diagnostics", file_id))
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"{file_id} is removed")


@app.command()
def fetch(
    file_id: FileId,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; `-` is standard output.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Download a diagnostics file. Never overwrites one.

    Example: chargewatch diagnostics fetch 3f2a… --out cp-1.zip
    """
    with Target(data, api, key, config).reader() as reader:
        if out == Path("-"):
            reader.diagnostics_file(file_id, typer.get_binary_stream("stdout").write)
            return
        where = out or Path(f"diagnostics-{file_id[:12]}.bin")
        try:
            with where.open("xb") as file:
                entry = reader.diagnostics_file(file_id, file.write)
        except FileExistsError as error:
            raise CommandFailed(f"{where} exists already: name another one with --out", Exit.USAGE) from error
        except BaseException:
            where.unlink(missing_ok=True)
            raise
    if json:
        print_json({**msgspec.to_builtins(entry), "path": str(where)})
    else:
        note(f"{entry.name} ({size(entry.size_bytes)}) is in {where}")
