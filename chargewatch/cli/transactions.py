"""`chargewatch transactions`: what was charged, and the reports that belong to nothing."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange, TransactionFlag, TransactionState
from chargewatch.cli.charge_points import Id, Limit
from chargewatch.cli.output import console, duration, energy, facts, listing, parse_when, print_json, table
from chargewatch.cli.session import CLOCK, Api, ApiKey, Config, Data, Json, Target

app = typer.Typer(no_args_is_help=True, help="Transactions: list, show, quarantine.")

Only = Annotated[str | None, typer.Option("--charge-point", metavar="CHARGE_POINT_ID", help="Only this charge point's.")]
_COLUMNS = ("charge point", "transaction", "connector", "state", "began", "duration→", "kWh→", "token", "stop reason", "flags")
_QUARANTINE = ("received", "charge point", "kind", "reason", "transaction as given", "connector", "register Wh→", "resolved by")
_CHANGES = ("sequence→", "received", "charge point's clock", "change", "value", "detail", "seqNo→")


@app.command("list")
def list_(
    charge_point: Only = None,
    state: Annotated[TransactionState | None, typer.Option(help="Only these.")] = None,
    flag: Annotated[TransactionFlag | None, typer.Option(help="Only those with this oddity.")] = None,
    since: Annotated[str | None, typer.Option(metavar="T", help="Began later: an instant, or an age like 2h.")] = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List transactions, newest first.

    Example: chargewatch transactions list --state open
    """
    began = parse_when(since, CLOCK.now())
    with Target(data, api, key, config).reader() as reader:
        page = reader.transactions(charge_point_id=charge_point, state=state, flag=flag, since=began, limit=limit)
    listing(page, _COLUMNS, map(_row, page.items), as_json=json, nothing="no transaction", whole=_whole)


def _whole(each: Transaction) -> dict[str, Any]:
    """With what follows from its registers and instants."""
    return {**msgspec.to_builtins(each), "energy_wh": each.energy_wh, "duration_s": each.duration_s}


def _row(each: Transaction) -> tuple[Any, ...]:
    amounts = duration(each.duration_s), energy(each.energy_wh)
    which = each.charge_point_id, each.transaction_id, each.connector, each.state, each.began_at
    return *which, *amounts, each.id_token, each.stop_reason, each.flags


@app.command()
def show(
    charge_point_id: Id,
    transaction_id: Annotated[str, typer.Argument(metavar="TRANSACTION_ID")],
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """Show one transaction with every change of it.

    Example: chargewatch transactions show CP-1 42
    """
    with Target(data, api, key, config).reader() as reader:
        found, changes = reader.transaction(charge_point_id, transaction_id)
    if json:
        print_json({**_whole(found), "changes": changes})
        return
    pairs = [(name.replace("_", " "), value) for name, value in msgspec.structs.asdict(found).items() if value not in (0, False)]
    console().print(facts([*pairs, ("energy kWh", energy(found.energy_wh)), ("duration", duration(found.duration_s))]))
    if changes:
        console().print()
        console().print(table(_CHANGES, map(_change, changes)))


def _change(each: TransactionChange) -> tuple[Any, ...]:
    return each.sequence, each.received_at, each.changed_at, each.kind, each.value, each.detail, each.seq_no


@app.command()
def quarantine(
    charge_point: Only = None,
    resolved: Annotated[
        bool | None, typer.Option("--resolved/--unresolved", help="Claimed by a transaction later, or not.")
    ] = None,
    limit: Limit = 100,
    json: Json = False,
    data: Data = None,
    api: Api = None,
    key: ApiKey = None,
    config: Config = None,
) -> None:
    """List reports that belong to no transaction, each with its reason.

    Example: chargewatch transactions quarantine --unresolved
    """
    with Target(data, api, key, config).reader() as reader:
        page = reader.quarantine(charge_point_id=charge_point, resolved=resolved, limit=limit)
    listing(page, _QUARANTINE, map(_report, page.items), as_json=json, nothing="nothing is in quarantine")


def _report(each: QuarantinedReport) -> tuple[Any, ...]:
    what = each.received_at, each.charge_point_id, each.kind, each.reason, each.raw_transaction_id, each.connector
    return *what, each.register_wh, each.resolved_by
