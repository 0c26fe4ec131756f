"""`chargewatch payments method`: how a customer's statements are paid. The gateway's names alone: card numbers never come here."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargewatch.cli.http import path
from chargewatch.cli.output import console, facts, note, print_json
from chargewatch.cli.session import Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Saved payment methods of customers: show, set, remove.")
CustomerId = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")]


@app.command()
def show(
    customer: CustomerId,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show what a customer's statements are charged to.

    Example: chargewatch payments method show acme
    """
    with Target(data, api, key, config).client() as client:
        found = client.get(dict[str, Any], path("payments", "methods", customer))
    if json:
        print_json(found)
        return
    console().print(facts((
        ("customer", found["customer_id"]), ("label", found["label"]), ("customer at the gateway", found["gateway_customer"]),
        ("method at the gateway", found["gateway_method"]),
    )))  # fmt: skip


@app.command("set")
def set_(
    customer: CustomerId,
    gateway_customer: Annotated[str, typer.Option(metavar="NAME", help="The gateway's name of the customer, e.g. cus_…")],
    gateway_method: Annotated[str, typer.Option(metavar="NAME", help="The gateway's name of the method, e.g. pm_…")],
    label: Annotated[str, typer.Option(help="For people, e.g. Visa, ends in 4242.")] = "",
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Charge a customer's statements to this method: those issued from now on, and declined ones when they are tried again.

    Example: chargewatch payments method set acme --gateway-customer cus_9s6XKzkNRiz8i3 --gateway-method pm_1MqLiJLkdIwHu7ix
    """
    body = {"gateway_customer": gateway_customer, "gateway_method": gateway_method, "label": label}
    with Target(data, api, key, config).client() as client:
        answer = client.call("PUT", path("payments", "methods", customer), json=body)
    made = msgspec.json.decode(answer, type=dict[str, Any])
    if json:
        print_json(made)
    else:
        note(f"statements of {customer} are charged to {made['label'] or made['gateway_method']} from now on")


@app.command()
def remove(
    customer: CustomerId,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Charge a customer's statements no more. The gateway keeps the method until it is removed there.

    Example: chargewatch payments method remove acme
    """
    with Target(data, api, key, config).client() as client:
        before = client.get(dict[str, Any], path("payments", "methods", customer))
        client.call("DELETE", path("payments", "methods", customer))
    if json:
        print_json(before)
    else:
        note(f"statements of {customer} are charged to nothing from now on; it was {before['label'] or before['gateway_method']}")
