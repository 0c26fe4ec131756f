"""`chargewatch cases`: what is wrong, with its evidence; taking and ending it."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from alerts.case import Case
from alerts.store import PastChange
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, listing, note, print_json, table
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Cases: list, show, ack, resolve.")
CaseId = Annotated[int, typer.Argument(metavar="ID", min=1, help="The number of the case.")]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What others should know.")]


class CaseFile(msgspec.Struct, frozen=True):
    """As the API answers."""

    case: Case
    history: list[PastChange]


@app.command("list")
def list_(
    open_: Annotated[bool, typer.Option("--open", help="Only those that are not resolved.")] = False,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List cases, newest first.

    Example: chargewatch cases list --open
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(Case, path("cases"), limit, open=True if open_ else None)
    columns = ("case→", "severity", "state", "where", "kind", "since", "what")
    rows = (
        (each.case_id, each.severity, _state(each), _where(each), each.kind, each.began_at, each.summary) for each in page.items
    )
    listing(page, columns, rows, as_json=json, nothing="nothing is wrong" if open_ else "there was no case yet")


@app.command()
def show(
    case_id: CaseId, json: Json = False, data: Data = None, api: Api = None, key: ApiKey = None, config: Config = None
) -> None:
    """Show a case: evidence, what to do, and what happened to it.

    Example: chargewatch cases show 17
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("GET", path("cases", str(case_id)))
    if json:
        print_json(msgspec.json.decode(answer))
        return
    file = msgspec.json.decode(answer, type=CaseFile)
    _print(file.case)
    rows = ((line.at, line.what, line.who, line.why) for line in file.history)
    console().print(table(("at", "what", "who", "why"), rows))


def _print(case: Case) -> None:
    console().print(
        facts(
            (
                ("case", f"{case.case_id} ({case.severity}, {_state(case)})"),
                ("where", _where(case)),
                ("what", case.summary),
                ("since", case.began_at),
                ("how sure", f"{case.score:.0%}"),
                *(("evidence", f"{each.what} {_records(each.sequences)}".strip()) for each in case.evidence),
                ("what to do", case.action),
                ("taken by", case.acknowledged_by),
                ("note", case.note),
                ("resolved", case.resolution),
            )
        )
    )


@app.command()
def ack(
    case_id: CaseId,
    text: Note = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Take a case: it is not told again, and others see that somebody is at it.

    Example: chargewatch cases ack 17 --note "on my way"
    """
    _act("acknowledge", case_id, text, json, Target(data, api, key, config))


@app.command()
def resolve(
    case_id: CaseId,
    text: Note = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """End a case by hand; what is still found some minutes later reopens it.

    Example: chargewatch cases resolve 17 --note "cable changed"
    """
    _act("resolve", case_id, text, json, Target(data, api, key, config))


def _act(action: str, case_id: int, text: str, as_json: bool, target: Target) -> None:
    with target.client() as client:
        answer = client.call("POST", path("cases", str(case_id), action), json={"note": text})
    if as_json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"case {case_id} is {msgspec.json.decode(answer, type=Case).state}")


def _state(case: Case) -> str:
    if case.suppressed_by is not None:
        return f"explained by {case.suppressed_by}"
    return "planned work" if case.masked_by is not None else case.state


def _where(case: Case) -> str:
    if case.group is not None:
        return case.group
    plug = f" connector {case.connector}" if case.connector is not None else ""
    return f"{case.charge_point_id}{plug}{f' ({case.site_id})' if case.site_id else ''}"


def _records(sequences: tuple[int, ...]) -> str:
    return f"(records {', '.join(map(str, sequences))})" if sequences else ""
