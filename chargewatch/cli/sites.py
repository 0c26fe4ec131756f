"""`chargewatch sites` and `chargewatch audit`: places, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargewatch.cli.charge_points import Limit
from chargewatch.cli.frames import compact
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, parse_when, print_json
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Sites: list, put, remove.")
SiteId = Annotated[str, typer.Argument(metavar="SITE_ID", help="A short name, e.g. harbour.")]


@app.command("list")
def list_(
    limit: Limit = 10_000, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """List sites.

    Example: chargewatch sites list
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.sites(limit=limit)
    rows = ((each.site_id, each.name, each.address, each.latitude, each.longitude, each.time_zone) for each in page.items)
    listing(
        page, ("site", "name", "address", "latitude→", "longitude→", "time zone"), rows, as_json=json, nothing="there is no site"
    )


@app.command()
def put(
    site_id: SiteId,
    name: Annotated[str, typer.Option(help="For people.")],
    address: Annotated[str | None, typer.Option(help="Street and town.")] = None,
    latitude: Annotated[float | None, typer.Option(min=-90, max=90, help="Degrees north.")] = None,
    longitude: Annotated[float | None, typer.Option(min=-180, max=180, help="Degrees east.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="IANA name, e.g. Europe/Oslo.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Create a site, or replace what is known of it.

    Example: chargewatch sites put harbour --name "Harbour car park" --time-zone Europe/Oslo
    """
    body = {"name": name, "address": address, "latitude": latitude, "longitude": longitude, "time_zone": time_zone}
    with Target(data, api, key, config).client() as client:
        answer = client.call("PUT", path("sites", site_id), json=body)
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"site {site_id} is there")


@app.command()
def remove(
    site_id: SiteId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Remove a site to which no charge point belongs.

    Example: chargewatch sites remove harbour
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("DELETE", path("sites", site_id))
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"site {site_id} is removed")


def _changed(before: Any, after: Any) -> tuple[str | None, str | None]:
    """Both as JSON; of two objects only what differs, since the rest says nothing. --json has all of it."""
    if isinstance(before, dict) and isinstance(after, dict):
        differ = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        before, after = ({name: each[name] for name in differ if name in each} for each in (before, after))
    return _json(before), _json(after)


def _json(value: Any) -> str | None:
    return None if value is None else compact(value)


def audit(
    action: Annotated[str | None, typer.Option(help="Only this one, e.g. tokens.block.")] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="Only later ones: an instant, or an age like 2h.")] = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show who changed what, newest first.

    Example: chargewatch audit --since 7d
    """
    started = parse_when(since, CLOCK.now())
    with Target(data, api, key, config).reader() as reader:
        page = reader.audit(action=action, since=started, limit=limit)
    rows = ((each.at, each.who, each.action, each.target, *_changed(each.before, each.after)) for each in page.items)
    listing(page, ("at", "who", "action", "target", "before", "after"), rows, as_json=json, nothing="nothing was changed")
