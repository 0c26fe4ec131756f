"""`chargewatch maintenance`: planned work, during which nobody is told of what it touches."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from alerts.maintenance import Window
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, print_json
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Planned work: add, list, end.")


@app.command()
def add(
    reason: Annotated[str, typer.Option(help="What is done.")],
    site: Annotated[str | None, typer.Option(metavar="SITE_ID", help="At this site.")] = None,
    charge_point: Annotated[str | None, typer.Option(metavar="ID", help="At this charge point alone.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=8784, help="For so long, from now.")] = 2.0,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Announce planned work at a site or a charge point, from now.

    Example: chargewatch maintenance add --site harbour --hours 4 --reason "New cables"
    """
    ends_at = (CLOCK.now() + timedelta(hours=hours)).isoformat()
    body = {"site_id": site, "charge_point_id": charge_point, "ends_at": ends_at, "reason": reason}
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("maintenance"), json=body)
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        window = msgspec.json.decode(answer, type=Window)
        note(f"maintenance window {window.window_id} ends at {window.ends_at:%Y-%m-%d %H:%M} UTC")


@app.command("list")
def list_(
    current: Annotated[bool, typer.Option("--current", help="Only what is not over.")] = False,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List planned work, newest first.

    Example: chargewatch maintenance list --current
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(Window, path("maintenance"), limit, current=True if current else None)
    columns = ("window→", "site", "charge point", "from", "until", "ended", "reason", "by")
    rows = (
        (
            each.window_id,
            each.site_id,
            each.charge_point_id,
            each.begins_at,
            each.ends_at,
            each.ended_at,
            each.reason,
            each.created_by,
        )
        for each in page.items
    )
    listing(page, columns, rows, as_json=json, nothing="no work is planned")


@app.command()
def end(
    window_id: Annotated[int, typer.Argument(metavar="ID", min=1, help="The number of the window.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """End planned work before its time.

    Example: chargewatch maintenance end 3
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("DELETE", path("maintenance", str(window_id)))
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"maintenance window {window_id} is over")
