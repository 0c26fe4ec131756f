"""`chargewatch charge-points`: who is there, and who may be."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargenet.model.station import ChargePoint, ConnectorState
from chargenet.model.words import Registration
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, listing, note, print_json, table
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Charge points: list, show, add, approve, block, set passwords.")

Id = Annotated[str, typer.Argument(metavar="CHARGE_POINT_ID", help="The OCPP identity, as in the charge point's URL.")]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="At most so many.")]
_COLUMNS = ("charge point", "connected", "registration", "status", "vendor", "model", "firmware", "protocol", "site", "last seen")


class _PasswordSet(msgspec.Struct):
    charge_point_id: str
    password: str | None


@app.command("list")
def list_(
    site: Annotated[str | None, typer.Option(help="Only this site's.")] = None,
    registration: Annotated[Registration | None, typer.Option(help="Only these, e.g. Pending.")] = None,
    connected: Annotated[bool | None, typer.Option("--connected/--offline", help="Only those.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of the id, vendor, model or serial number.")] = None,
    limit: Limit = 10_000,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List charge points.

    Example: chargewatch charge-points list --offline
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.charge_points(site_id=site, registration=registration, connected=connected, search=search, limit=limit)
    rows = (_row(each) for each in page.items)
    listing(page, _COLUMNS, rows, as_json=json, nothing="no charge point is known yet; they connect to ws://HOST:PORT/ocpp/<id>")


def _row(each: ChargePoint) -> tuple[Any, ...]:
    state = each.state
    made_by = (state.vendor, state.model, state.firmware_version, state.protocol)
    return each.charge_point_id, state.connected, each.registration, state.status, *made_by, each.site_id, state.last_seen_at


@app.command()
def show(
    charge_point_id: Id, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Show one charge point and its connectors.

    Example: chargewatch charge-points show CP-1
    """
    with Target(data, api, key, config).reader() as reader:
        found = reader.charge_point(charge_point_id)
        connectors = reader.connectors(charge_point_id=charge_point_id, limit=1000).items
    if json:
        print_json({**msgspec.to_builtins(found), "connectors": connectors})
        return
    state = msgspec.structs.asdict(found.state)
    hidden = ("charge_point_id", "sequence", "generation")
    pairs = [(name.replace("_", " "), value) for name, value in state.items() if name not in hidden]
    decided = [("charge point", found.charge_point_id), ("registration", found.registration), ("password", found.has_password)]
    decided += [("site", found.site_id), ("note", found.note), ("tags", found.tags), ("hardware", found.hardware)]
    console().print(facts([*decided, *pairs]))
    if connectors:
        console().print()
        console().print(table(("connector", "status", "since", "error", "vendor error", "info"), map(_connector, connectors)))


def _connector(each: ConnectorState) -> tuple[Any, ...]:
    error = None if each.error_code == "NoError" else each.error_code
    return each.connector, each.status, each.changed_at, error, each.vendor_error_code, each.info


@app.command()
def add(
    charge_point_id: Id,
    site: Annotated[str | None, typer.Option(help="Where it stands; the site must exist.")] = None,
    note_: Annotated[str | None, typer.Option("--note", help="Anything worth remembering.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Register a charge point before it connects.

    Example: chargewatch charge-points add CP-1 --site harbour
    """
    body = {"charge_point_id": charge_point_id, "site_id": site, "note": note_}
    _change(Target(data, api, key, config), path("charge-points"), body, f"{charge_point_id} may connect", json)


@app.command("set")
def set_(
    charge_point_id: Id,
    site: Annotated[str | None, typer.Option(help="Where it stands; the site must exist.")] = None,
    note_: Annotated[str | None, typer.Option("--note", help="Anything worth remembering.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A word that rollouts select by; all of them, each time.")] = None,
    hardware: Annotated[str | None, typer.Option(help="Its hardware revision.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Change what was decided about a charge point; what is not given stays, and `""` clears.

    Example: chargewatch charge-points set CP-1 --tag pilot --tag garage --hardware B2
    """
    given = {"site_id": site, "note": note_, "tags": None if tag is None else " ".join(tag), "hardware": hardware}
    body = {name: value.strip() or None for name, value in given.items() if value is not None}
    if not body:
        raise CommandFailed("nothing to change: give --site, --note, --tag or --hardware", Exit.USAGE)
    where = path("charge-points", charge_point_id)
    _change(Target(data, api, key, config), where, body, f"{charge_point_id} is changed", json, method="PATCH")


@app.command()
def approve(
    charge_point_id: Id, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Accept a charge point that is pending or was blocked.

    Example: chargewatch charge-points approve CP-1
    """
    _change(
        Target(data, api, key, config),
        path("charge-points", charge_point_id, "approve"),
        None,
        f"{charge_point_id} is accepted",
        json,
    )


@app.command()
def block(
    charge_point_id: Id, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Refuse a charge point, and close its connection.

    Example: chargewatch charge-points block CP-1
    """
    _change(
        Target(data, api, key, config), path("charge-points", charge_point_id, "block"), None, f"{charge_point_id} is blocked", json
    )


@app.command("set-password")
def set_password(
    charge_point_id: Id,
    password: Annotated[
        str | None, typer.Argument(help="Without it, a random one is made and shown once; `-` asks for it.")
    ] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Set the password of a charge point (HTTP Basic, security profiles 1 and 2).

    Example: chargewatch charge-points set-password CP-1
    """
    if password == "-":  # noqa: S105 means: ask
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    with Target(data, api, key, config).client() as client:
        body = client.call("POST", path("charge-points", charge_point_id, "password"), json={"password": password})
    done = msgspec.json.decode(body, type=_PasswordSet)
    if json:
        print_json({"charge_point_id": done.charge_point_id, "password": done.password})
    elif done.password is None:
        note(f"the password of {charge_point_id} is set")
    else:
        print_password(charge_point_id, done.password)


def print_password(charge_point_id: str, password: str) -> None:
    """The one time that a generated password is shown."""
    note(f"the password of {charge_point_id}; it is not shown again:")
    typer.echo(password)


# Each argument is one part of one call and of what is said of it.
def _change(target: Target, where: str, body: dict[str, Any] | None, done: str, as_json: bool, *, method: str = "POST") -> None:
    with target.client() as client:
        answer = client.call(method, where, json=body)
    if as_json:
        print_json(msgspec.json.decode(answer))
    else:
        note(done)
