"""`chargewatch tokens`: who may charge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from chargenet.model.token import TokenReject, TokenRow
from chargenet.model.words import TokenKind, TokenStatus
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.output import listing, note, parse_when, print_json
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="ID tokens: add, block, list, import.")

Value = Annotated[str, typer.Argument(metavar="TOKEN", help="As on the card or in the app; case does not matter.")]
_COLUMNS = ("token", "kind", "status", "parent", "expires", "note", "updated")
_SHOWN_REJECTS = 20


class _Imported(msgspec.Struct):
    taken: int
    new: int
    rejects: tuple[TokenReject, ...]


@app.command()
def add(
    token: Value,
    kind: Annotated[TokenKind, typer.Option(help="What it is.")] = TokenKind.UNKNOWN,
    status: Annotated[TokenStatus, typer.Option(help="What charge points are answered.")] = TokenStatus.ACCEPTED,
    parent: Annotated[str | None, typer.Option(help="Parent (1.6) or group (2.x) token.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="T", help="From then on it is Expired, e.g. 2027-01-01T00:00:00Z.")] = None,
    note_: Annotated[str | None, typer.Option("--note", help="Anything worth remembering.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Add a token, or replace what is known of it.

    Example: chargewatch tokens add 04A2B3C4D5E680 --kind ISO14443
    """
    expires_at = parse_when(expires, CLOCK.now())
    body = {"value": token, "kind": kind.value, "status": status.value, "parent": parent, "note": note_}
    body["expires_at"] = None if expires_at is None else expires_at.isoformat()
    _put(Target(data, api, key, config), "/tokens", body, json)


@app.command()
def block(token: Value, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Block a token; one that is not known is added, blocked.

    Example: chargewatch tokens block 04A2B3C4D5E680
    """
    _put(Target(data, api, key, config), "/tokens/block", {"value": token}, json)


@app.command("list")
def list_(
    status: Annotated[TokenStatus | None, typer.Option(help="Only these.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the token.")] = None,
    limit: Limit = 10_000,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List tokens.

    Example: chargewatch tokens list --status Blocked
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.tokens(status=status, search=search, limit=limit)
    rows = ((each.value, each.kind, each.status, each.parent, each.expires_at, each.note, each.updated_at) for each in page.items)
    listing(page, _COLUMNS, rows, as_json=json, nothing="the token table is empty")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with a header: value,kind,status,parent,expires_at.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Add or replace many tokens. Lines that cannot be taken are named, and make the exit code 1.

    Example: chargewatch tokens import cards.csv
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file} cannot be read: {error.strerror}", Exit.USAGE) from error
    if not content.strip():
        raise CommandFailed(f"{file} is empty: its first line names the columns, value,kind,status,parent,expires_at", Exit.USAGE)
    with Target(data, api, key, config).client() as client:
        how: dict[str, Any] = {"params": {"dry_run": dry_run}, "content": content, "headers": {"Content-Type": "text/csv"}}
        done = msgspec.json.decode(client.call("POST", "/tokens/import", **how), type=_Imported)
    if json:
        print_json(done)
    else:
        for reject in done.rejects[:_SHOWN_REJECTS]:
            note(f"{file}:{reject.line}: {reject.reason}")
        note(f"{done.taken} tokens taken ({done.new} new), {len(done.rejects)} lines not taken")
    if done.rejects:
        raise typer.Exit(Exit.FAILED)


def _put(target: Target, where: str, body: dict[str, str | None], as_json: bool) -> None:
    with target.client() as client:
        row = msgspec.json.decode(client.call("POST", where, json=body), type=TokenRow)
    if as_json:
        print_json(row)
    else:
        note(f"token {row.value}: {row.status}")
