"""`chargewatch keys`: API keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from chargenet.model.key import NewKey
from chargenet.model.words import Role
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, print_json
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="API keys: create, list, revoke.")
_COLUMNS = ("key id", "name", "role", "created", "last used", "revoked")


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what will use it.")],
    role: Annotated[
        Role, typer.Option(help="viewer reads; operator acts; billing reads bills and tokens; admin may do everything.")
    ] = Role.VIEWER,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Make an API key. It is shown once.

    Example: chargewatch keys create wallboard --role viewer
    """
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", "/keys", json={"name": name, "role": role.value}), type=NewKey)
    if json:
        print_json(made)
        return
    note(f"key {made.key.key_id} with the role {made.key.role}; it is not shown again:")
    typer.echo(made.secret)


@app.command("list")
def list_(
    limit: Limit = 10_000, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """List API keys, never their secrets.

    Example: chargewatch keys list
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.keys(limit=limit)
    rows = ((each.key_id, each.name, each.role, each.created_at, each.last_used_at, each.revoked_at) for each in page.items)
    listing(page, _COLUMNS, rows, as_json=json, nothing="there is no key")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Revoke an API key, at once.

    Example: chargewatch keys revoke 0f1e2d3c4b5a
    """
    with Target(data, api, key, config).client() as client:
        body = client.call("DELETE", path("keys", key_id))
    if json:
        print_json(msgspec.json.decode(body))
    else:
        note(f"key {key_id} is revoked")
