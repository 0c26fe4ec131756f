"""`chargewatch customer`: who pays for which ID token."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargewatch.cli.charge_points import Limit
from chargewatch.cli.http import path
from chargewatch.cli.output import listing, note, print_json
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Customers: add, list.")


# Most of it is its options and their help.
@app.command()
def add(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER_ID", help="A short name, e.g. acme-fleet.")],
    name: Annotated[str, typer.Option(help="As it is printed.")],
    street: Annotated[str, typer.Option(help="Street and number.")] = "",
    postal_code: Annotated[str, typer.Option(help="Postal code.")] = "",
    city: Annotated[str, typer.Option(help="Town.")] = "",
    country: Annotated[str, typer.Option(help="Two capitals, e.g. NO.")] = "",
    vat_id: Annotated[str, typer.Option(help="VAT id of a business.")] = "",
    email: Annotated[str, typer.Option(help="Where statements go.")] = "",
    language: Annotated[str, typer.Option(help="Of the statements: en, de, …")] = "en",
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="IANA name. \\[default: setting billing.time_zone]")] = None,
    reference: Annotated[str, typer.Option(help="Printed on each statement: a cost centre, an order number.")] = "",
    token: Annotated[
        list[str] | None, typer.Option(metavar="TOKEN", help="ID token that the customer pays for; repeat it.")
    ] = None,
    contract: Annotated[str | None, typer.Option(metavar="ID", help="Contract of the tokens. \\[default: CUSTOMER_ID]")] = None,
    since: Annotated[str | None, typer.Option(metavar="DAY", help="First day of the contract. \\[default: today]")] = None,
    plan: Annotated[str | None, typer.Option(metavar="PLAN_ID", help="Plan of the contract.")] = None,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Add a customer, or replace what is known of one; with --token also a contract that pays for tokens.

    Example: chargewatch customer add anna --name "Anna Berg" --city Oslo --country NO --token 04A2B3C4
    """
    address = {"street": street, "postal_code": postal_code, "city": city, "country": country}
    party = {"name": name, "vat_id": vat_id, "email": email, **address}
    body = {"party": party, "language": language, "time_zone": time_zone, "reference": reference}
    agreement = contract or customer_id
    with Target(data, api, key, config).client() as client:
        made = msgspec.json.decode(client.call("PUT", path("customers", customer_id), json=body), type=dict[str, Any])
        if token or contract or plan:
            terms = {"first_day": since or f"{CLOCK.now():%Y-%m-%d}", "plan_id": plan}
            client.call("PUT", path("customers", customer_id, "contracts", agreement), json=terms)
        if token:
            client.call("POST", path("customers", customer_id, "contracts", agreement, "tokens"), json={"tokens": token})
    if json:
        print_json(made)
    else:
        note(f"customer {customer_id} is there" + (f" and pays for {len(token)} tokens" if token else ""))


@app.command("list")
def list_(
    search: Annotated[str | None, typer.Option(help="Part of the name or the id.")] = None,
    limit: Limit = 10_000,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List customers.

    Example: chargewatch customer list --search berg
    """
    with Target(data, api, key, config).client() as client:
        page = client.pages(dict[str, Any], "/customers", limit, search=search)
    columns = ("customer", "name", "town", "country", "language", "time zone", "e-mail")
    rows = (
        (each["customer_id"], each["party"]["name"], each["party"].get("city"), each["party"].get("country"),
         each.get("language", "en"), each.get("time_zone", "UTC"), each["party"].get("email"))
        for each in page.items
    )  # fmt: skip
    listing(page, columns, rows, as_json=json, nothing="there is no customer")
