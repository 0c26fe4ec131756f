"""`chargewatch rollout`: plan, create, start, watch, stop and go back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, listing, note, print_json
from chargewatch.cli.rollout_simulate import simulate
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Firmware rollouts: a canary, then waves, stopped by what happens after the install.")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The rollout as YAML; docs/rollouts.md says what is in it.")]
RolloutId = Annotated[str, typer.Argument(metavar="ROLLOUT_ID", help="As `create` names it.")]
Why = Annotated[str, typer.Option("--why", help="Kept in the history.")]
_EVERY_S = 1.0
_GOOD = ("verified", "healthy")


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


@app.command()
def plan(file: File, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None) -> None:
    """Show what a file would do; nothing is stored or sent.

    Example: chargewatch rollout plan rollout.yaml
    """
    found = _post(Target(data, api, key, config), "/rollouts/plan", _body(file))
    if json:
        print_json(found)
        return
    out = console()
    out.print(f"{found['name']}: {found['artifact']['artifact_id']} ({found['artifact']['version']}), seed {found['seed']}")
    table = Table("wave", "charge points", "sites", "who")
    for wave in found["waves"]:
        names = wave["charge_points"]
        shown = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")
        table.add_row("canary" if wave["number"] == 0 else str(wave["number"]), str(len(names)), str(wave["sites"]), shown)
    table.add_row("holdout", str(len(found["holdout"])), "", ", ".join(found["holdout"][:6]))
    out.print(table)
    for each in found["canary"].get("sentences", ()):
        out.print(each)
    for each in found["out"]:
        out.print(f"out: {each['charge_point_id']} {each['sentence']}", markup=False)
    for each in found["notes"]:
        out.print(f"note: {each}", markup=False)


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
    rollout_id: RolloutId,
    watch: Annotated[bool, typer.Option("--watch", help="Show it live, until Ctrl-C or its end.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show waves, states of charge points and evidence.

    Example: chargewatch rollout status acme-2.4.1 --watch
    """
    where = path("rollouts", rollout_id)
    with Target(data, api, key, config).client() as client:
        found = client.get(dict[str, Any], where)
        if json:
            print_json(found)
            return
        if not watch:
            console().print(view(found))
            return
        with Live(view(found), console=console(), auto_refresh=False) as live:
            while found["state"] not in ("finished", "aborted", "rolled_back"):
                time.sleep(_EVERY_S)
                found = client.get(dict[str, Any], where)
                live.update(view(found), refresh=True)


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
        (each["at"], each["charge_point_id"], each["kind"], each["before"], each["after"], each["sentence"], each["who"])
        for each in page.items
    )
    listing(page, ("at", "charge point", "kind", "before", "after", "what", "who"), rows, as_json=json, nothing="nothing happened")


def view(found: dict[str, Any]) -> Group:
    """A rollout on a screen."""
    head = Text(f"{found['name']} → {found['version']}: {found['state']}", style="bold")
    if found["sentence"]:
        head.append(f"\n{found['sentence']}", style="red" if found["state"] == "halted" else "")
    waves = Table("wave", "state", "charge points", "how they stand", title_justify="left")
    for wave in found["waves"]:
        counts = ", ".join(f"{count} {state}" for state, count in wave["counts"].items())
        waves.add_row("canary" if wave["number"] == 0 else str(wave["number"]), wave["state"], str(wave["size"]), counts)
    waves.add_row("holdout", "", str(found["holdout"]), "")
    parts: list[Any] = [head, waves]
    troubled = [each for each in found["updates"] if each["reason"] and each["state"] not in (*_GOOD, "holdout", "withdrawn")]
    if troubled:
        table = Table("charge point", "state", "why")
        for each in troubled[:15]:
            table.add_row(each["charge_point_id"], each["state"], Text(each["reason"]))
        parts.append(table)
    if (verdict := found["verdict"]) is not None:
        parts.append(_evidence(verdict))
    return Group(*parts)


def _evidence(verdict: dict[str, Any]) -> Group:
    reasons = "; ".join(reason["sentence"] for reason in verdict["reasons"])
    table = Table("signal", "E→", "new firmware", "control")
    for each in verdict["signals"]:
        table.add_row(
            each["label"], f"{each['e']:.2f}", f"{each['treated']} in {each['treated_days']:.1f} days",
            f"{each['control']} in {each['control_days']:.1f} days",
        )  # fmt: skip
    return Group(Text(f"{verdict['outcome']}: {reasons} (E {verdict['e']:.2f}, stops at {verdict['limit']:g})"), table)


app.command()(simulate)
