"""`chargewatch tariff`: tariffs of the platform, and doubts about one. `lint` reads a file and asks no platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from billing_reports.doubt import Doubt, Level
from billing_reports.lint import lint
from billing_reports.ocpi import load_json, read_tariff
from billing_reports.ocpi.zones import zone_of_country
from billing_reports.price import zone_of
from billing_reports.tariff import Tariff
from billing_reports.usage_file import read_series
from chargenet.stores import Page
from chargewatch.cli.exits import CommandFailed
from chargewatch.cli.output import console, listing, note, parse_when, print_json, table
from chargewatch.cli.price import read_file
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target
from chargewatch.cli.tariff_compare import compare

app = typer.Typer(no_args_is_help=True, help="Tariffs: add, list, find doubts before drivers do, compare what they earn.")
app.command()(compare)
_NUMBERS = msgspec.json.Encoder(decimal_format="number")
_JSON = {"Content-Type": "application/json"}


@app.command("lint")
def lint_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OCPI tariff as JSON: 2.1.1, 2.2.1 or 2.3.0.")],
    time_zone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="IANA zone of the sites, for clock changes. \\[default: that of its country_code]"),
    ] = None,
    json: Json = False,
) -> None:
    """Explain each doubt about a tariff: repeated hours, elements that never apply, missing ends, steps, taxes.

    Exits with 1 when there is an error among them; warnings and notes are for people to weigh.

    Example: chargewatch tariff lint tariff.json --time-zone Europe/Oslo
    """
    tariff = read_tariff(read_file(file), file.name)
    zone = _zone(tariff, time_zone)
    found = lint(tariff, CLOCK.now(), zone)
    if json:
        print_json(found)
    elif found:
        console().print(table(("", "where", "doubt", "what happens, and what to do"), map(_row, found)))
    if not found:
        note("no doubt about this tariff")
    if zone is None:
        note("clock changes were not looked at: --time-zone ZONE says where the tariff is used")
    errors = sum(each.level is Level.ERROR for each in found)
    if errors:
        raise CommandFailed(f"{file.name}: {errors} error{'s' if errors > 1 else ''}")


# Most of it is its options and their help.
@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OCPI tariff as JSON: 2.1.1, 2.2.1 or 2.3.0.")],
    network: Annotated[bool, typer.Option("--network", help="It holds wherever nothing nearer does.")] = False,
    site: Annotated[list[str] | None, typer.Option(metavar="SITE_ID", help="It holds at this site; repeat it.")] = None,
    charge_point: Annotated[list[str] | None, typer.Option(metavar="ID", help="It holds at this charge point.")] = None,
    connector: Annotated[list[str] | None, typer.Option(metavar="ID/CONNECTOR", help="It holds at this connector.")] = None,
    effective_from: Annotated[
        str | None,
        typer.Option(metavar="T", help="In force from then on. \\[default: a new version from now on, a new tariff ever]"),
    ] = None,
    series: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="Price series that it refers to.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Add a tariff, or a new version of one, and say where it holds. What has begun keeps its version.

    Example: chargewatch tariff add day.json --site harbour
    """
    document = load_json(read_file(file), file.name)
    read_tariff(read_file(file), file.name)
    places = [("network", "")] if network else []
    for scope, names in (("site", site), ("charge_point", charge_point), ("connector", connector)):
        places += [(scope, name) for name in names or ()]
    body = {
        "tariff": document,
        "effective_from": parse_when(effective_from, CLOCK.now()),
        "assignments": [{"scope": scope, "place": place} for scope, place in places],
    }
    with Target(data, api, key, config).client() as client:
        for each in (found for path in series or () for found in read_series(read_file(path), path.name)):
            client.call("POST", "/tariffs/series", content=msgspec.json.encode(each), headers=_JSON)
        answer = client.call("POST", "/tariffs", content=_NUMBERS.encode(body), headers=_JSON)
    made = msgspec.json.decode(answer, type=dict[str, Any])
    if json:
        print_json(made)
    else:
        where = ", ".join(f"{scope} {place}".strip() for scope, place in places)
        note(f"tariff {made['tariff']['id']} version {made['version']} is there" + (f"; it holds at {where}" if where else ""))


@app.command("list")
def list_(json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """List tariffs, each in its newest version, and where they hold.

    Example: chargewatch tariff list
    """
    with Target(data, api, key, config).client() as client:
        page = client.get(Page[dict[str, Any]], "/tariffs")
    rows = (
        (each["tariff_id"], each["version"], each["tariff"]["currency"], len(each["tariff"]["elements"]),
         each["effective_from"], each["removed_at"],
         ", ".join(f"{one['scope']} {one.get('place', '')}".strip() for one in each["assignments"]))
        for each in page.items
    )  # fmt: skip
    columns = ("tariff", "version→", "currency", "elements→", "in force from", "removed", "holds at")
    listing(page, columns, rows, as_json=json, nothing="there is no tariff")


def _row(doubt: Doubt) -> tuple[str, str, str, str]:
    return doubt.level.value, doubt.where, doubt.code, doubt.text


def _zone(tariff: Tariff, named: str | None) -> ZoneInfo | None:
    name = named or (zone_of_country(tariff.country_code) if tariff.country_code else None)
    return zone_of(name) if name else None
