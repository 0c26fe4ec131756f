"""`chargewatch statement`: make the statements of a month, issue them, take one back."""

from __future__ import annotations

import re
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from billing_reports.schedule import month_before
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.exits import CommandFailed, Exit
from chargewatch.cli.http import ApiClient, path
from chargewatch.cli.output import console, energy, facts, listing, note, print_json, table
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Statements: run, list, show, finalize, credit.")
StatementId = Annotated[str, typer.Argument(metavar="STATEMENT", help="Its id or its number.")]
Month = Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Which month.")]
_EVERY_S = 0.5
_COLUMNS = ("statement", "number", "state", "customer", "name", "month", "lines→", "payable→", "due")


@app.command()
def run(
    month: Annotated[str | None, typer.Option(metavar="YYYY-MM", help="Which month. \\[default: the last one]")] = None,
    finalize: Annotated[bool, typer.Option("--finalize", help="Number and issue them at once.")] = False,
    unfinished_month: Annotated[
        bool, typer.Option("--unfinished-month", help="With --finalize: although the month goes on; the rest comes later.")
    ] = False,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Only customers of this time zone.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Make the statements of a month: drafts, unless --finalize. Doing it again changes nothing that was issued.

    Example: chargewatch statement run --month 2026-10
    """
    now = CLOCK.now()
    wanted = _month(month) or f"{month_before(date(now.year, now.month, 1)):%Y-%m}"
    body = {"month": wanted, "finalize": finalize, "unfinished_month": unfinished_month, "time_zone": time_zone}
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", "/statements/runs", json=body), type=dict[str, Any])
        ended = _watch(client, made, quiet=json)
    if json:
        print_json(ended)
    if ended["state"] == "failed":
        raise CommandFailed(f"the run of {wanted} stopped: {ended['problem']}")
    if not json:
        finals = f", {ended['finals']} of them issued" if ended.get("finals") else ""
        note(f"{wanted}: {ended.get('done', 0)} customers, {ended.get('drafts', 0)} statements{finals}")


def _watch(client: ApiClient, made: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Wait until the run has ended, with a bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task(f"statements of {made['month'][:7]}", total=made.get("total", 0))
        while made["state"] == "running":
            progress.update(bar, completed=made.get("done", 0))
            time.sleep(_EVERY_S)
            made = client.get(dict[str, Any], path("statements", "runs", made["run_id"]))
        progress.update(bar, completed=made.get("done", 0))
    return made


@app.command("list")
def list_(
    month: Month = None,
    state: Annotated[str | None, typer.Option(help="draft, final or credited.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    limit: Limit = 1000,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List statements and credit notes, newest first.

    Example: chargewatch statement list --month 2026-10 --state draft
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(dict[str, Any], "/statements", limit, month=_month(month), state=state, customer=customer)
    rows = (
        (each["id"], each["number"], each["state"] if each["kind"] == "statement" else "credit note", each["customer_id"],
         each["customer_name"], each["month"], each["lines"], _money(each["payable"]), each["due_on"])
        for each in page.items
    )  # fmt: skip
    listing(page, _COLUMNS, rows, as_json=json, nothing="there is no statement")


@app.command()
def show(
    statement: StatementId,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the document: .pdf, .xml (e-invoice), .csv or .json."),
    ] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show one statement: lines, taxes by rate, what is payable, what could not be billed. Or write it as a document.

    Example: chargewatch statement show ST-000042
    """
    with Target(data, api, key, config).client() as client:
        if output is not None:
            _write(output, client.call("GET", path("statements", statement, "document"), params={"format": _format(output)}))
            return
        found = client.get(dict[str, Any], path("statements", statement))
    if json:
        print_json(found)
        return
    out, totals = console(), found["totals"]
    out.print(facts((
        ("statement", found["id"]), ("number", found.get("number")), ("state", found.get("state", "draft")),
        ("customer", f"{found['customer']['name']} ({found['customer_id']})"), ("month", found["month"][:7]),
        ("issued", found.get("issued_on")), ("due", found.get("due_on")), ("credits", found.get("credits_number")),
        ("credited by", found.get("credited_by")), ("remark", found.get("remark")),
    )))  # fmt: skip
    columns = ("→", "what", "began", "charge point", "kWh→", "net→", "VAT→", "CDR")
    out.print(table(columns, map(_line, found.get("lines", ()))))
    for each in found.get("taxes", ()):
        rate = "no VAT" if each.get("vat") is None else f"VAT {each['vat']} %"
        out.print(f"{rate} on {_money(each['base'])}: {_money(each['tax'])}")
    out.print(f"net {_money(totals['net'])}, payable {_money(totals['payable'])}", style="bold")
    for each in found.get("unbilled", ()):
        out.print(f"not billed: {each['charge_point_id']} {each['transaction_id'] or ''}: {each['sentence']}", markup=False)


def _format(output: Path) -> str:
    form = output.suffix.lower().removeprefix(".")
    if form not in ("pdf", "xml", "csv", "json"):
        raise CommandFailed(f"{output}: a statement is written as .pdf, .xml, .csv or .json", Exit.USAGE)
    return form


def _write(output: Path, body: bytes) -> None:
    try:
        output.write_bytes(body)
    except OSError as error:
        raise CommandFailed(f"{output}: {error.strerror}") from None
    note(str(output))


def _line(line: dict[str, Any]) -> tuple[Any, ...]:
    vat = line.get("vat")
    began = line.get("started_at")
    place = line.get("charge_point_id") or line.get("detail")
    shown = energy(line["energy_wh"]) if line.get("energy_wh") else None
    at = None if began is None else began[:16].replace("T", " ") + "Z"
    what = line["kind"].replace("_", " ")
    return line["number"], what, at, place, shown, _money(line["net"]), vat and f"{vat} %", line.get("cdr_id")


@app.command()
def finalize(
    statements: Annotated[list[str] | None, typer.Argument(metavar="[STATEMENT]…", help="Drafts, by id.")] = None,
    month: Month = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Number drafts and issue them: those named, or all of a month. They are never changed again.

    Example: chargewatch statement finalize --month 2026-10
    """
    if bool(statements) == (month is not None):
        raise CommandFailed("name statements, or a month with --month YYYY-MM", Exit.USAGE)
    body = {"statements": statements or None, "month": _month(month)}
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", "/statements/finalize", json=body), type=list[dict[str, Any]])
    if json:
        print_json(made)
    for each in () if json else made:
        note(f"{each['number']}: {each['customer_name']}, {_money(each['payable'])}")
    if not made and not json:
        note("there is no draft")


@app.command()
def credit(
    statement: StatementId,
    why: Annotated[str, typer.Option("--why", help="Printed on the credit note.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Take an issued statement back by a credit note; the next run can bill its sessions again.

    Example: chargewatch statement credit ST-000042 --why "wrong address"
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("statements", statement, "credit"), json={"remark": why})
    made = msgspec.json.decode(answer, type=dict[str, Any])
    if json:
        print_json(made)
    else:
        note(f"{made['number']} takes back {made['credits_number']}: {_money(made['totals']['payable'])}")


def _month(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise CommandFailed(f"{text!r} is no month: write it like 2026-10", Exit.USAGE)
    return text


def _money(amount: dict[str, str]) -> str:
    return f"{amount['amount']} {amount['currency']}"
