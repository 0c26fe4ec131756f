"""Readings of a transaction. Decided here: which are its registers, which came after its end, which show that it goes on."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.events import Fact, MeasurementsTaken
from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.transaction import Transaction, TransactionFlag, TransactionState
from collector.projections.transaction_book import flagged
from collector.projections.transaction_times import effective, register_or_none

BEGIN, END = "Transaction.Begin", "Transaction.End"


def read(row: Transaction, event: MeasurementsTaken, fact: Fact, *, alone: bool) -> tuple[Transaction, bool]:
    """The transaction after one reading, and whether that withdrew an estimated end.

    An estimate is our doubt, not a report: energy that goes on rising after it (and nothing newer there, `alone`) shows that the
    transaction runs. A reported stop is never undone: what comes after it is counted and its last register kept.
    """
    at = effective(event.measured_at, fact.received_at)
    begin_wh, end_wh, other_wh = _registers(event)
    if row.state == TransactionState.STOPPED and row.stop_sequence != fact.sequence and _is_after(row, at):
        return _after_stop(row, end_wh if end_wh is not None else other_wh), False
    withdrawn = row.state == TransactionState.ESTIMATED and alone and end_wh is None and _runs_on(row, at, other_wh)
    if withdrawn:
        row = msgspec.structs.replace(row, state=TransactionState.OPEN, ended_at=None, evidence=None, evidence_sequence=None)
        row = flagged(row, TransactionFlag.ESTIMATE_WITHDRAWN)
    if begin_wh is not None and row.start_register_wh is None:
        row = msgspec.structs.replace(row, start_register_wh=begin_wh)
    if end_wh is not None and row.stop_register_wh is None and row.stop_sequence == fact.sequence:
        row = msgspec.structs.replace(row, stop_register_wh=end_wh)
    latest_wh = end_wh if end_wh is not None else other_wh if other_wh is not None else begin_wh
    row = msgspec.structs.replace(row, readings=row.readings + 1)
    if latest_wh is not None and (row.last_register_at is None or at >= row.last_register_at):
        row = msgspec.structs.replace(row, last_register_wh=latest_wh, last_register_at=at)
    return row, withdrawn


def _registers(event: MeasurementsTaken) -> tuple[int | None, int | None, int | None]:
    """Energy register at the begin, at the end and in between, where this reading has them."""
    begin: int | None = None
    end: int | None = None
    other: int | None = None
    for measurement in event.measurements:
        if measurement.measurand != ENERGY_REGISTER or measurement.phase is not None or measurement.location != "Outlet":
            continue
        register_wh = register_or_none(measurement.value)
        if measurement.context == BEGIN:
            begin = register_wh
        elif measurement.context == END:
            end = register_wh
        else:
            other = register_wh
    return begin, end, other


def _is_after(row: Transaction, at: datetime) -> bool:
    """Taken after the end; readings of before it may still arrive late."""
    return row.ended_at is None or at > row.ended_at


def _after_stop(row: Transaction, register_wh: int | None) -> Transaction:
    row = msgspec.structs.replace(
        row,
        readings_after_stop=row.readings_after_stop + 1,
        after_stop_register_wh=row.after_stop_register_wh if register_wh is None else register_wh,
    )
    return flagged(row, TransactionFlag.READINGS_AFTER_STOP)


def _runs_on(row: Transaction, at: datetime, register_wh: int | None) -> bool:
    rising = register_wh is not None and row.last_register_wh is not None and register_wh > row.last_register_wh
    return rising and row.ended_at is not None and at > row.ended_at
