"""`chargewatch silences`: what nobody wants to hear for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from alerts.stages.silence import Silence
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, print_json
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Silences: add, list, end.")


@app.command()
def add(
    matchers: Annotated[
        list[str],
        typer.Argument(metavar="LABEL=VALUE", help="What it is about; all must hold. Also != and, with * for any text, ~ and !~"),
    ],
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="Why, for those who wonder at the quiet.")],
    hours: Annotated[float, typer.Option("--hours", min=0.01, max=8784, help="For so long.")] = 4.0,
    starts_in: Annotated[float, typer.Option("--starts-in", metavar="HOURS", min=0, max=8784, help="Begin after so long.")] = 0.0,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Keep alerts quiet; what is still wrong at the end is told then.

    Labels are those of the messages: site, charge_point, connector, kind, severity, source, receiver.

    Example: chargewatch silences add site=harbour "kind~Connector*" --hours 4 --comment "The grid operator knows"
    """
    starts_at = CLOCK.now() + timedelta(hours=starts_in)
    body = {"matchers": matchers, "ends_at": (starts_at + timedelta(hours=hours)).isoformat(), "comment": comment}
    if starts_in:
        body["starts_at"] = starts_at.isoformat()
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("silences"), json=body)
    if json:
        print_json(msgspec.json.decode(answer))
        return
    silence = msgspec.json.decode(answer, type=Silence)
    note(f"silence {silence.silence_id} of {', '.join(silence.matchers)} ends at {silence.ends_at:%Y-%m-%d %H:%M} UTC")


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
    """List silences, newest first.

    Example: chargewatch silences list --current
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(Silence, path("silences"), limit, current=True if current else None)
    columns = ("silence", "of", "from", "until", "why", "by", "ended by")
    rows = (
        (each.silence_id, each.matchers, each.starts_at, each.ends_at, each.comment, each.created_by, each.ended_by)
        for each in page.items
    )
    listing(page, columns, rows, as_json=json, nothing="nothing is silenced")


@app.command()
def end(
    silence_id: Annotated[str, typer.Argument(metavar="ID", help="The silence, as listed.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """End a silence before its time: what is still wrong is told.

    Example: chargewatch silences end s0634a8e1c2b3f4a5b6
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("DELETE", path("silences", silence_id))
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"silence {silence_id} is over")
