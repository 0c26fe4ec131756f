"""Transactions, their changes, and the reports that belong to none."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from chargenet.errors import NotFound
from chargenet.model.transaction import QuarantinedReport, Transaction, TransactionChange, TransactionFlag, TransactionState
from chargenet.stores import Page
from chargewatch.api.answers import ChargePointId, Cursor, Instant, Limit, Name, Text, filter_text, json, returns
from chargewatch.api.auth import At, EvidenceReader, Principal, Reader

router = APIRouter(tags=["transactions"])


class TransactionShown(msgspec.Struct, frozen=True):
    """A transaction with what follows from it. `energy_wh` and `duration_s` are null while unknown."""

    transaction: Transaction
    energy_wh: int | None
    duration_s: float | None


class TransactionHistory(msgspec.Struct, frozen=True):
    """A transaction, what follows from it, and its changes in journal order (the first 1,000)."""

    transaction: Transaction
    energy_wh: int | None
    duration_s: float | None
    changes: list[TransactionChange]


def _masked(row: Transaction, who: Principal) -> Transaction:
    return msgspec.structs.replace(row, id_token=who.shown_token(row.id_token), stop_id_token=who.shown_token(row.stop_id_token))


@router.get("/transactions", responses=returns(Page[TransactionShown], "Transactions, newest first."))
async def list_transactions(
    who: Reader,
    platform: At,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    site_id: Annotated[Text | None, filter_text("Only this site's.")] = None,
    connector: Annotated[Text | None, filter_text("Only this connector's (its label).", 32)] = None,
    state: TransactionState | None = None,
    flag: TransactionFlag | None = None,
    since: Annotated[Instant | None, Query(description="Began at or after.")] = None,
    until: Annotated[Instant | None, Query(description="Began before.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Transactions as their reports tell them; doubts are in `flags` and `state`."""
    page = await platform.stores.transactions.transactions(
        charge_point_id=charge_point,
        site_id=site_id,
        connector=connector,
        state=state,
        flag=flag,
        since=since,
        until=until,
        cursor=cursor,
        limit=limit,
    )
    items = [TransactionShown(_masked(row, who), row.energy_wh, row.duration_s) for row in page.items]
    return json(Page(items, page.next_cursor))


@router.get(
    "/charge-points/{charge_point_id}/transactions/{transaction_id}", responses=returns(TransactionHistory, "The transaction.")
)
async def show_transaction(charge_point_id: ChargePointId, transaction_id: Name, who: Reader, platform: At) -> Response:
    """One transaction with every change of it."""
    row = await platform.stores.transactions.transaction(charge_point_id, transaction_id)
    if row is None:
        raise NotFound("transaction", transaction_id)
    changes = await platform.stores.transactions.changes(row.charge_point_id, row.transaction_id, limit=1000)
    return json(TransactionHistory(_masked(row, who), row.energy_wh, row.duration_s, changes.items))


@router.get("/quarantine", responses=returns(Page[QuarantinedReport], "Reports without a transaction, newest first."))
async def list_quarantine(
    _: EvidenceReader,
    platform: At,
    charge_point: Annotated[Text | None, filter_text("Only this charge point's.")] = None,
    resolved: Annotated[bool | None, Query(description="True: those that a transaction claimed later.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response:
    """Stops that were acknowledged and belong to no transaction that we know, each with its reason."""
    quarantine = platform.stores.transactions.quarantine
    return json(await quarantine(charge_point_id=charge_point, resolved=resolved, cursor=cursor, limit=limit))
