"""`chargewatch rollout`: plan, create, start, watch, stop and go back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.live import Live

from chargenet.stores import Page
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, listing, note, print_json, print_line
from chargewatch.cli.rollout_simulate import simulate
from chargewatch.cli.rollout_view import line, plan_view, stand, view, waits_for_a_person, what_can_be_done
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Firmware rollouts: a canary, then waves, stopped by what happens after the install.")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The rollout as YAML; docs/rollouts.md says what is in it.")]
RolloutId = Annotated[str, typer.Argument(metavar="ROLLOUT_ID", help="As `create` names it.")]
Why = Annotated[str, typer.Option("--why", help="Kept in the history.")]
_EVERY_S = 1.0
_RESTART_TRIES = 120


def _body(file: Path) -> dict[str, str]:
    try:
        return {"spec": file.read_text(encoding="utf-8"), "source": file.name}
    except (OSError, UnicodeDecodeError) as error:
        raise CommandFailed(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}", Exit.USAGE) from error


def _post(target: Target, where: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    with target.client() as client:
        return msgspec.json.decode(client.call("POST", where, json=body), type=dict[str, Any])


def _said(rollout: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(rollout)
    else:
        sentence = f": {rollout['sentence']}" if rollout["sentence"] else ""
        note(f"rollout {rollout['rollout_id']} is {rollout['state']}{sentence}")
        for each in what_can_be_done(rollout):
            note(f"  {each}")


@app.command()
def plan(file: File, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Show what a file would do; nothing is stored or sent.

    Example: chargewatch rollout plan rollout.yaml
    """
    found = _post(Target(data, api, key, config), "/rollouts/plan", _body(file))
    if json:
        print_json(found)
        return
    console().print(plan_view(found))


@app.command()
def create(file: File, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Draw the waves and store them as a draft.

    Example: chargewatch rollout create rollout.yaml
    """
    _said(_post(Target(data, api, key, config), "/rollouts", _body(file)), json)


@app.command()
def start(
    rollout_id: RolloutId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Begin with the canary.

    Example: chargewatch rollout start acme-2.4.1
    """
    _said(_post(Target(data, api, key, config), path("rollouts", rollout_id, "start")), json)


@app.command()
def pause(
    rollout_id: RolloutId,
    why: Why = "",
    recall: Annotated[bool, typer.Option(help="Take back orders that are under way, where the protocol can.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Send nothing more, from now on.

    Example: chargewatch rollout pause acme-2.4.1 --why "storm tonight"
    """
    body = {"why": why, "recall": recall}
    _said(_post(Target(data, api, key, config), path("rollouts", rollout_id, "pause"), body), json)


@app.command()
def resume(
    rollout_id: RolloutId,
    why: Why = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Go on; after a halt this overrides the gate and needs --why.

    Example: chargewatch rollout resume acme-2.4.1
    """
    _said(_post(Target(data, api, key, config), path("rollouts", rollout_id, "resume"), {"why": why}), json)


@app.command()
def approve(
    rollout_id: RolloutId,
    why: Why = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Let a held rollout go on.

    Example: chargewatch rollout approve acme-2.4.1
    """
    _said(_post(Target(data, api, key, config), path("rollouts", rollout_id, "approve"), {"why": why}), json)


@app.command()
def abort(
    rollout_id: RolloutId,
    why: Why = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Give up and leave as is.

    Example: chargewatch rollout abort acme-2.4.1
    """
    _said(_post(Target(data, api, key, config), path("rollouts", rollout_id, "abort"), {"why": why}), json)


@app.command()
def rollback(
    rollout_id: RolloutId,
    to: Annotated[str, typer.Option("--to", metavar="ARTIFACT_ID", help="The firmware to go back to.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """End it, and make a draft that installs the former version where the new one runs.

    Example: chargewatch rollout rollback acme-2.4.1 --to acme-2.3.0
    """
    where = path("rollouts", rollout_id, "rollback")
    _said(_post(Target(data, api, key, config), where, {"artifact_id": to}), json)


@app.command()
def status(
    rollout_id: Annotated[str | None, typer.Argument(metavar="[ROLLOUT_ID]", help="Which one; none: a list of all.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show it live, until it ends or waits for a person.")] = False,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show waves, states of charge points and evidence; without an id, all rollouts.

    With `--watch` and without a terminal, one line for each change; with `--json` too, one JSON value for each.

    Example: chargewatch rollout status acme-2.4.1 --watch
    """
    if rollout_id is None and watch:
        raise CommandFailed("--watch needs a rollout: chargewatch rollout status ROLLOUT_ID --watch", Exit.USAGE)
    target = Target(data, api, key, config)
    if rollout_id is None:
        with target.client() as client:
            _list(client.pages(dict[str, Any], "/rollouts", limit), json)
        return
    where = path("rollouts", rollout_id)
    found = _look(target, where)
    if watch:
        _watch(lambda: _look(target, where, _RESTART_TRIES), found, json)
    elif json:
        print_json(found)
    else:
        console().print(view(found))


def _look(target: Target, where: str, tries: int = 1) -> dict[str, Any]:
    """One answer; `tries`: how often a platform is asked that does not answer, a second apart: it may be restarting."""
    while True:
        tries -= 1
        try:
            with target.client() as client:
                return client.get(dict[str, Any], where)
        except CommandFailed as failed:
            if failed.code is not Exit.NOT_REACHABLE or not tries:
                raise
            time.sleep(_EVERY_S)


def _list(page: Page[dict[str, Any]], as_json: bool) -> None:
    rows = (
        (each["rollout_id"], each["artifact_id"], each["state"], _wave_of(each), _instant(each["started_at"]), each["sentence"])
        for each in page.items
    )
    columns = ("rollout", "firmware", "state", "wave", "started", "what")
    listing(page, columns, rows, as_json=as_json, nothing="there is no rollout: plan one with `chargewatch rollout plan FILE`")


def _wave_of(rollout: dict[str, Any]) -> str:
    return f"{rollout['wave'] + 1} of {len(rollout['waves'])}"


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _watch(look: Callable[[], dict[str, Any]], found: dict[str, Any], as_json: bool) -> None:
    """Live on a terminal; elsewhere whatever is new."""
    out = console()
    if out.is_terminal and not as_json:
        with Live(view(found, out.height), console=out, auto_refresh=False, vertical_overflow="crop") as live:
            while not waits_for_a_person(found):
                time.sleep(_EVERY_S)
                found = look()
                live.update(view(found, out.height), refresh=True)
        return
    shown: tuple[Any, ...] = ()
    while True:
        if (new := stand(found)) != shown:
            shown = new
            print_line(found) if as_json else out.print(line(found), markup=False)
        if waits_for_a_person(found):
            break
        time.sleep(_EVERY_S)
        found = look()
    if not as_json:
        out.print(view(found))


@app.command()
def history(
    rollout_id: RolloutId,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show what happened, newest first.

    Example: chargewatch rollout history acme-2.4.1
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(dict[str, Any], path("rollouts", rollout_id, "history"), limit)
    rows = (
        (_instant(each["at"]), each["charge_point_id"], each["kind"], each["before"], each["after"], each["sentence"], each["who"])
        for each in page.items
    )
    listing(page, ("at", "charge point", "kind", "before", "after", "what", "who"), rows, as_json=json, nothing="nothing happened")


app.command()(simulate)
