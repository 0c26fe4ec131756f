"""`chargewatch cdr`: what each transaction costs and why, down to the frames; taking a CDR back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from chargenet.stores import Page
from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, energy, facts, listing, note, parse_when, print_json, table
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="CDRs: the price of each transaction, traced to its frames.")
CdrId = Annotated[str, typer.Argument(metavar="CDR_ID", help="As `cdr list` shows it.")]
_COLUMNS = ("CDR", "ended", "charge point", "connector", "customer", "kWh→", "before taxes→", "after taxes→", "", "statement")


@app.command("list")
def list_(
    charge_point: Annotated[str | None, typer.Option(help="Only this charge point's.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    statement: Annotated[str | None, typer.Option(help="Only those on this statement.")] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="Ended later: an instant, or an age like 7d.")] = None,
    unbilled: Annotated[bool, typer.Option("--unbilled", help="Instead, what could not be billed, with the reasons.")] = False,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List CDRs, those that ended last first; or what could not be billed.

    Example: chargewatch cdr list --since 7d
    """
    started = parse_when(since, CLOCK.now())
    with Target(data, api, key, config).client() as client:
        if unbilled:
            _unbilled(client.pages(dict[str, Any], "/cdrs/unbilled", limit, charge_point=charge_point), json)
            return
        page = client.pages(
            dict[str, Any], "/cdrs", limit, charge_point=charge_point, customer=customer, statement=statement, since=started
        )
    listing(page, _COLUMNS, map(_row, page.items), as_json=json, nothing="there is no CDR")


def _row(cdr: dict[str, Any]) -> tuple[Any, ...]:
    kind = "credit" if cdr["credit"] else "credited" if cdr["credited_by"] else ""
    return (
        cdr["id"], _at(cdr["ended_at"]), cdr["charge_point_id"], cdr["connector"], cdr["customer_id"], energy(cdr["energy_wh"]),
        _money(cdr["before_taxes"]), _money(cdr["after_taxes"]), kind, cdr["statement_id"],
    )  # fmt: skip


def _unbilled(page: Page[dict[str, Any]], as_json: bool) -> None:
    columns = ("charge point", "transaction", "ended", "kWh→", "reason", "what to do")
    rows = ((each["charge_point_id"], each["subject"], *_issue(each["issue"] or {})) for each in page.items)
    listing(page, columns, rows, as_json=as_json, nothing="everything that ended is billed")


def _issue(issue: dict[str, Any]) -> tuple[Any, ...]:
    return _at(issue.get("ended_at")), energy(issue.get("energy_wh")), issue.get("reason"), issue.get("sentence")


@app.command()
def show(
    cdr_id: CdrId,
    trace: Annotated[bool, typer.Option("--trace", help="Follow every figure back to the frames as they came.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show one CDR: what was used, what it costs and by which rule; with --trace the frames behind each figure.

    Example: chargewatch cdr show C000001234 --trace
    """
    with Target(data, api, key, config).client() as client:
        file = msgspec.json.decode(client.call("GET", path("cdrs", cdr_id)), type=dict[str, Any])
        found = msgspec.json.decode(client.call("GET", path("cdrs", cdr_id, "trace")), type=dict[str, Any]) if trace else None
    if json:
        print_json(found if found is not None else file)
        return
    _show(file)
    if found is not None:
        _trace(found)


def _show(file: dict[str, Any]) -> None:
    cdr, priced = file["cdr"], file["priced"]
    console().print(
        facts((
            ("CDR", cdr["id"]), ("charge point", f"{cdr['charge_point_id']}, connector {cdr['connector'] or '-'}"),
            ("transaction", cdr["transaction_id"]), ("customer", cdr["customer_id"]), ("meter", file["meter_id"]),
            ("from", _at(cdr["started_at"])), ("to", _at(cdr["ended_at"])), ("tariff", priced["tariff_id"]),
            ("credit of", cdr["credit_reference_id"]), ("credited by", cdr["credited_by"]), ("statement", cdr["statement_id"]),
            ("doubts", ", ".join(file["flags"])), ("remark", file["remark"]),
            ("signed", ", ".join(f"{each['verdict']}: {each['reason']}" for each in file["signed"])),
        ))
    )  # fmt: skip
    console().print()
    console().print(table(("from", "to", "", "counts", "billed→", "price→", "before taxes→", "taxes→", "because"), _lines(priced)))
    before, after = _money(cdr["before_taxes"]), _money(cdr["after_taxes"])
    console().print(Text(f"\nbefore taxes {before}, after taxes {after}", style="bold"))


def _lines(priced: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    for period in priced["charging_periods"]:
        head = (_at(period["start_date_time"]), _at(period["end_date_time"]), period["kind"].lower())
        for line in period["lines"]:
            yield (
                *head, line["dimension"], f"{line['billed']} {line['unit']}", line["price"], line["before_taxes"], line["taxes"],
                line["rule"],
            )  # fmt: skip
    for each in priced["adjustments"]:
        yield "", "", "", each["kind"], "", "", each["before_taxes"], "", each["rule"]


def _trace(found: dict[str, Any]) -> None:
    out = console()
    out.print("\nEach figure, and what it rests on:", style="bold")
    rows = (
        (_at(line["start_at"]), line["dimension"], f"{line['measured']} → {line['before_taxes']['amount']}", line["how"],
         ", ".join(str(each) for each in line["sequences"]))
        for line in found["lines"]
    )  # fmt: skip
    out.print(table(("from", "counts", "measured → cost", "how", "records"), rows))
    out.print("\nReports, in order of time:", style="bold")
    points = (
        (_at(each["at"]), each["what"], each.get("register_wh"), each.get("energy_wh"), each.get("note"), each["sequence"])
        for each in found.get("points", ())
    )
    out.print(table(("at", "what", "register Wh→", "energy Wh→", "remark", "record→"), points))
    out.print("\nFrames, as they came:", style="bold")
    for frame in found.get("frames", ()):
        text = _lost(frame) if frame.get("lost") else frame.get("frame", "")
        received = _at(frame.get("received_at")) or "-"
        out.print(Text.assemble((f"{frame['sequence']} ", "bold"), (f"{received} ", "dim"), text), soft_wrap=True)


def _lost(frame: dict[str, Any]) -> str:
    """Why a frame cannot be shown, and what is kept of it all the same."""
    begins = f"the journal begins with record {frame.get('journal_begins')}"
    at = _at(frame.get("journal_begins_at"))
    since = f"{begins} of {at}" if at else begins
    return f"removed by retention ({since}); the CDR keeps: {'; '.join(frame.get('copied', ())) or 'nothing of it'}"


@app.command()
def credit(
    cdr_id: CdrId,
    why: Annotated[str, typer.Option("--why", help="Kept on the credit CDR.")],
    rebill: Annotated[bool, typer.Option("--rebill", help="Make a new CDR by the tariffs and contracts of now.")] = False,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Take a CDR back by a credit CDR; nothing is edited.

    Example: chargewatch cdr credit C000001234 --why "wrong tariff" --rebill
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("cdrs", cdr_id, "credit"), json={"remark": why, "rebill": rebill})
    made = msgspec.json.decode(answer, type=list[dict[str, Any]])
    if json:
        print_json(made)
    for each in () if json else made:
        note(f"{each['id']}: {_money(each['before_taxes'])} before taxes")


@app.command()
def dismiss(
    charge_point_id: Annotated[str, typer.Argument(metavar="CHARGE_POINT_ID", help="As `cdr list --unbilled` shows it.")],
    subject: Annotated[str, typer.Argument(metavar="TRANSACTION", help="Its id, or the report, as listed.")],
    why: Annotated[str, typer.Option("--why", help="Kept in the audit log.")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Decide that nobody is charged for a transaction that could not be billed.

    Example: chargewatch cdr dismiss CP-1 17 --why "the meter was broken"
    """
    body = {"charge_point_id": charge_point_id, "subject": subject, "remark": why}
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", "/cdrs/unbilled/dismiss", json=body)
    if json:
        print_json(msgspec.json.decode(answer))
    else:
        note(f"nobody is charged for {subject} of {charge_point_id}")


def _at(text: str | None) -> str | None:
    return None if text is None else text[:19].replace("T", " ") + "Z"


def _money(amount: dict[str, str]) -> str:
    whole, _, decimals = amount["amount"].partition(".")
    shown = amount["amount"] if len(decimals) <= 4 else f"{whole}.{decimals[:4]}…"
    return f"{shown} {amount['currency']}"
