"""When a transaction began and ended, and how its registers stand. Decided here: whose clock counts; neither runs backwards."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.model.sanity import believable
from chargenet.model.transaction import Transaction, TransactionFlag, TransactionState
from collector.projections.transaction_book import flagged

LARGEST_REGISTER_WH = 10**13
"""Ten million MWh: no meter of a charge point got there."""


def effective(at: datetime | None, received_at: datetime) -> datetime:
    """The device's instant where it is believable, else ours."""
    return at if at is not None and believable(at, received_at) else received_at


def timed(row: Transaction) -> Transaction:
    """`row` with `began_at`, `ended_at`, `clock` and the clock flags as its start and reported stop give them."""
    absurd = _absurd(row.started_at, row.start_received_at) or _absurd(row.stopped_at, row.stop_received_at)
    if absurd:
        row = flagged(row, TransactionFlag.CLOCK_ABSURD)
    if row.start_received_at is None:
        return _without_start(row)
    if row.state == TransactionState.STOPPED and row.stop_received_at is not None:
        return _both(row, row.start_received_at, row.stop_received_at)
    device = believable(row.started_at, row.start_received_at)
    began_at = row.started_at if device else row.start_received_at
    ended_at = row.ended_at
    if ended_at is not None and began_at is not None:
        ended_at = max(began_at, ended_at)
    return msgspec.structs.replace(row, began_at=began_at, ended_at=ended_at, clock="device" if device else "ours")


def _both(row: Transaction, start_received_at: datetime, stop_received_at: datetime) -> Transaction:
    """One clock for both ends: the device's when it is believable at both and runs forwards, else ours."""
    started_at, stopped_at = row.started_at, row.stopped_at
    device = believable(started_at, start_received_at) and believable(stopped_at, stop_received_at)
    if device and started_at is not None and stopped_at is not None:
        if stopped_at >= started_at:
            return msgspec.structs.replace(row, began_at=started_at, ended_at=stopped_at, clock="device")
        row = flagged(row, TransactionFlag.CLOCK_BACKWARDS)
    ended_at = max(start_received_at, stop_received_at)  # a late start is received after its stop
    return msgspec.structs.replace(row, began_at=min(start_received_at, stop_received_at), ended_at=ended_at, clock="ours")


def _without_start(row: Transaction) -> Transaction:
    """`began_at` is what its first sign gave; the stop may only come after it."""
    if row.state != TransactionState.STOPPED or row.stop_received_at is None:
        return row
    ended_at = effective(row.stopped_at, row.stop_received_at)
    began_at = min(row.began_at, ended_at) if row.began_at is not None else ended_at
    return msgspec.structs.replace(row, began_at=began_at, ended_at=ended_at)


def _absurd(at: datetime | None, received_at: datetime | None) -> bool:
    return at is not None and received_at is not None and not believable(at, received_at)


def metered(row: Transaction) -> Transaction:
    """`row` with the register flag, where its registers run backwards."""
    end = row.stop_register_wh if row.stop_register_wh is not None else row.last_register_wh
    if end is not None and row.start_register_wh is not None and end < row.start_register_wh:
        return flagged(row, TransactionFlag.REGISTER_BACKWARDS)
    return row


def register_or_none(register_wh: float | None) -> int | None:
    """A register that can be one; None for absent and absurd values."""
    if register_wh is None or not -LARGEST_REGISTER_WH <= register_wh <= LARGEST_REGISTER_WH:
        return None
    return round(register_wh)
