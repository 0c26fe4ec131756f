"""`chargewatch meter-key`: public keys of meters, so that a signed value says whose meter it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from billing_reports.meter_keys import normalised
from chargenet.stores import Page
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, parse_when, print_json
from chargewatch.cli.price import read_file
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Public keys of meters: add, list, remove, check.")
_SHORT = 24


# Most of it is its options and their help.
@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The public key: PEM, or DER as hex or base64.")],
    connector: Annotated[str | None, typer.Option(metavar="ID/CONNECTOR", help="The meter of this connector.")] = None,
    charge_point: Annotated[str | None, typer.Option(metavar="ID", help="The one meter of this charge point.")] = None,
    serial: Annotated[str | None, typer.Option(metavar="NUMBER", help="The meter with this serial number, wherever.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="For transactions that begin then or later. \\[default: from ever]")
    ] = None,
    remark: Annotated[str, typer.Option(help="Where the key comes from.")] = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Register the public key of a meter. What is billed from now on is judged by it.

    Example: chargewatch meter-key add meter.pem --connector CP-1/1
    """
    places = [(scope, place) for scope, place in _places(connector, charge_point, serial) if place is not None]
    if len(places) != 1:
        raise typer.BadParameter("say whose key it is: one of --connector, --charge-point and --serial")
    try:
        public_key = normalised(read_file(file).decode("utf-8", "replace"))
    except ValueError as problem:
        raise typer.BadParameter(f"{file.name}: {problem}") from None
    [(scope, place)] = places
    body = {
        "scope": scope, "place": place, "public_key": public_key, "valid_from": parse_when(since, CLOCK.now()), "note": remark,
    }  # fmt: skip
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", "/meter-keys", json=body), type=dict[str, Any])
    if json:
        print_json(made)
    else:
        note(f"key {made['key_id']} holds for {scope.replace('_', ' ')} {place}")


@app.command("list")
def list_(json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """List the keys that are registered.

    Example: chargewatch meter-key list
    """
    with Target(data, api, key, config).client() as client:
        page = client.get(Page[dict[str, Any]], "/meter-keys")
    rows = (
        (each["key_id"], each["scope"], each["place"], each["valid_from"], f"…{each['public_key'][-_SHORT:]}", each["added_by"],
         each["note"])
        for each in page.items
    )  # fmt: skip
    columns = ("key", "of", "place or serial", "from", "public key", "by", "remark")
    listing(page, columns, rows, as_json=json, nothing="no key of a meter is registered")


@app.command()
def remove(
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `meter-key list` shows it.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Forget a key. CDRs keep the verdicts that they have.

    Example: chargewatch meter-key remove 4f1c2a90b3d7e815
    """
    with Target(data, api, key, config).client() as client:
        gone = msgspec.json.decode(client.call("DELETE", path("meter-keys", key_id)), type=dict[str, Any])
    if json:
        print_json(gone)
    else:
        note(f"the key of {gone['scope'].replace('_', ' ')} {gone['place']} is forgotten")


@app.command()
def check(
    cdr_id: Annotated[str, typer.Argument(metavar="CDR_ID", help="As `cdr list` shows it.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Judge the signed values of a CDR by the keys that are registered now; the CDR stays as it is.

    Example: chargewatch meter-key check C000001234
    """
    with Target(data, api, key, config).client() as client:
        found = msgspec.json.decode(client.call("GET", path("cdrs", cdr_id, "signed")), type=list[dict[str, Any]])
    rows = ((each.get("context"), each["encoding"], each["verdict"], each.get("reason"), each.get("sequence")) for each in found)
    columns = ("context", "encoding", "verdict", "because", "record→")
    listing(Page(found, None), columns, rows, as_json=json, nothing="this CDR has no signed values")


def _places(connector: str | None, charge_point: str | None, serial: str | None) -> tuple[tuple[str, str | None], ...]:
    return ("connector", connector), ("charge_point", charge_point), ("serial", serial)
