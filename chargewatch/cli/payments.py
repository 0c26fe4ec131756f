"""`chargewatch payments`: holds, charges and what is left of them; hold an amount, go on with one, pay one back."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, listing, note, print_json, table
from chargewatch.cli.payment_method import app as method
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Payments: list, show, hold, retry, refund; saved methods.")
app.add_typer(method, name="method")
PaymentId = Annotated[str, typer.Argument(metavar="PAYMENT", help="Its id, as `payments list` shows it.")]
_COLUMNS = ("payment", "kind", "state", "amount→", "captured→", "refunded→", "receivable→", "customer", "remark")


@app.command("list")
def list_(
    state: Annotated[str | None, typer.Option(help="new, opened, processing, held, declined, paid, refunded or cancelled.")] = None,
    kind: Annotated[str | None, typer.Option(help="hold or charge.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    stuck: Annotated[bool, typer.Option("--stuck", help="Only those that wait for a person.")] = False,
    limit: Limit = 1000,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List holds and charges, newest first.

    Example: chargewatch payments list --stuck
    """
    filters = {"state": state, "kind": kind, "customer": customer, "stuck": "true" if stuck else None}
    with Target(data, api, key, config).client() as client:
        page = client.pages(dict[str, Any], "/payments", limit, **filters)
    rows = (
        (each["id"], each["kind"], each["state"], _money(each["amount"]), _money(each["captured"]), _money(each["refunded"]),
         _money(each["receivable"]), each["customer_id"], each["stuck"] or each["problem"] or None)
        for each in page.items
    )  # fmt: skip
    listing(page, _COLUMNS, rows, as_json=json, nothing="there is no payment")


@app.command()
def show(
    payment: PaymentId,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show one payment: where the money is, what is owed, and everything that was asked and answered.

    Example: chargewatch payments show charge-2026-03-acme-EUR
    """
    with Target(data, api, key, config).client() as client:
        found = client.get(dict[str, Any], path("payments", payment))
    if json:
        print_json(found)
        return
    one = found["payment"]
    due = None if one["due"] is None else _money(one["due"])
    console().print(facts((
        ("payment", one["id"]), ("kind", one["kind"]), ("state", one["state"]), ("amount", _money(one["amount"])),
        ("captured", _money(one["captured"])), ("refunded", _money(one["refunded"])), ("owed", due),
        ("receivable", _money(one["receivable"])), ("customer", one["customer_id"]), ("statement", one["statement_id"]),
        ("charge point", one["charge_point_id"]), ("at the gateway", one["gateway_id"]), ("waits for", one["waits_for"]),
        ("looked at again", _at(one["look_at"])), ("problem", one["problem"]), ("needs a person", one["stuck"]),
    )))  # fmt: skip
    console().print()
    console().print(table(("at", "state", "what"), ((_at(each["at"]), each["state"], each["what"]) for each in found["history"])))


@app.command()
def hold(
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="The most that the session may come to, e.g. 50.00.")],
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="ISO 4217, e.g. EUR.")],
    method: Annotated[
        str | None, typer.Option(metavar="NAME", help="The gateway's name of a payment method. \\[default: a browser confirms]")
    ] = None,
    charge_point: Annotated[str | None, typer.Option(metavar="ID", help="Where the session will be.")] = None,
    token: Annotated[str | None, typer.Option(metavar="TOKEN", help="ID token of the session. \\[default: a new one]")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Hold an amount for one ad-hoc session. What its CDR comes to is captured, never more, and the rest is released.

    Example: chargewatch payments hold 50.00 EUR --method pm_1MqLiJLkdIwHu7ix --charge-point CP-1
    """
    body = {"amount": amount, "currency": currency, "method": method, "charge_point_id": charge_point, "id_token": token}
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", "/payments/holds", json=body), type=dict[str, Any])
    if json:
        print_json(made)
        return
    one = made["payment"]
    console().print(facts((
        ("payment", one["id"]), ("state", one["state"]), ("amount", _money(one["amount"])), ("start with token", made["id_token"]),
        ("confirm with", made["client_secret"]), ("problem", one["problem"]), ("needs a person", one["stuck"]),
    )))  # fmt: skip


@app.command()
def retry(
    payment: PaymentId,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Go on with a payment that waits for a person, or try a declined one now. The gateway is asked first what it has done.

    Example: chargewatch payments retry charge-2026-03-acme-EUR
    """
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("POST", path("payments", payment, "retry")), type=dict[str, Any])
    _told(made, as_json=json)


@app.command()
def refund(
    payment: PaymentId,
    why: Annotated[str, typer.Option("--why", help="Kept in the payment's history and in the audit log.")],
    amount: Annotated[str | None, typer.Option(metavar="AMOUNT", help="A part, e.g. 5.00. \\[default: all that is left]")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Pay back a part or all of a payment. Credit notes and corrected CDRs pay back by themselves.

    Example: chargewatch payments refund hold-0a1b2c3d4e5f6071 --amount 5.00 --why "the cable was stuck"
    """
    with Target(data, api, key, config).client() as client:
        answer = client.call("POST", path("payments", payment, "refund"), json={"amount": amount, "why": why})
    _told(msgspec.json.decode(answer, type=dict[str, Any]), as_json=json)


def _told(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    left = f"; {made['stuck']}" if made["stuck"] else ""
    note(f"{made['id']} is {made['state']}: {_money(made['captured'])} captured, {_money(made['refunded'])} refunded{left}")


def _at(text: str | None) -> str | None:
    return None if text is None else text[:19].replace("T", " ") + "Z"


def _money(amount: dict[str, str]) -> str:
    return f"{amount['amount']} {amount['currency']}"
