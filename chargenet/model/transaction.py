"""A transaction as a row. Decided here: what is kept of start…stop, and that doubt is a value (`flags`, `state`)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from chargenet.model.ids import IdToken


class TransactionState(StrEnum):
    """Where a transaction is."""

    OPEN = "open"
    STOPPED = "stopped"
    """Its stop was reported."""
    ESTIMATED = "estimated"
    """Its stop never came; other evidence shows that it ended. The reported stop replaces the estimate if it comes later."""


class TransactionFlag(StrEnum):
    """What is odd about a transaction."""

    START_MISSING = "start_missing"
    """First seen by an update, a reading or its stop."""
    START_REPEATED = "start_repeated"
    STOP_REPEATED = "stop_repeated"
    STOP_BEFORE_START = "stop_before_start"
    """Both came, in the wrong order."""
    STOP_MATCHED = "stop_matched"
    """The stop named no usable id; it was matched by token, time and register."""
    SEQUENCE_GAP = "sequence_gap"
    REGISTER_BACKWARDS = "register_backwards"
    REGISTER_ABSURD = "register_absurd"
    CLOCK_ABSURD = "clock_absurd"
    """A device time outside the sanity window; our clock orders this transaction."""
    CLOCK_BACKWARDS = "clock_backwards"
    """By the device's clock it would have ended before it began."""
    READINGS_AFTER_STOP = "readings_after_stop"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - a flag's name
    REBOOTED = "rebooted"
    """The charge point booted while it was open."""
    ESTIMATE_WITHDRAWN = "estimate_withdrawn"


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction. Key: (charge_point_id, transaction_id). Registers are Wh; `*_received_at` is ours, `*_at` the device's."""

    charge_point_id: str
    transaction_id: str
    protocol: str
    state: str = TransactionState.OPEN
    connector: str | None = None
    """ConnectorRef label; None when the charge point named none."""
    id_token: str | None = None
    """Who asked, as presented: personal data, evidence. Never a label; logs show `IdToken.hashed`."""
    id_token_kind: str | None = None
    token_status: str | None = None
    stop_id_token: str | None = None

    started_at: datetime | None = None
    start_received_at: datetime | None = None
    stopped_at: datetime | None = None
    stop_received_at: datetime | None = None
    began_at: datetime | None = None
    """The instant to order and bill by: the device's clock where it is sane, else ours."""
    ended_at: datetime | None = None
    """Likewise; never before `began_at`. None while open."""
    clock: str = "device"
    """device or ours: whose clock `began_at` and `ended_at` are of."""

    start_register_wh: int | None = None
    stop_register_wh: int | None = None
    last_register_wh: int | None = None
    last_register_at: datetime | None = None
    readings: int = 0
    readings_after_stop: int = 0
    after_stop_register_wh: int | None = None

    stop_reason: str | None = None
    charging_state: str | None = None
    reservation_id: int | None = None
    remote_start_id: int | None = None
    charging_profile_id: int | None = None
    offline: bool = False
    seq_nos: str = ""
    """OCPP 2.x seqNos seen, as ranges: "0-17,19"."""
    repeats: int = 0
    """Starts and stops that came again, not yet known as repeats when they were answered (others are in the message log)."""
    flags: tuple[str, ...] = ()

    first_sequence: int
    """The record by which it was first known."""
    last_sequence: int
    """The record that last changed it."""
    start_sequence: int | None = None
    stop_sequence: int | None = None
    evidence_sequence: int | None = None
    """For an estimated end: the record that showed it."""
    evidence: str | None = None
    """For an estimated end: started, available or superseded."""

    @property
    def energy_wh(self) -> int | None:
        """Stop (or last known) minus start register; None while one of them is unknown or the register ran backwards."""
        end = self.stop_register_wh if self.stop_register_wh is not None else self.last_register_wh
        if end is None or self.start_register_wh is None or end < self.start_register_wh:
            return None
        return end - self.start_register_wh

    @property
    def duration_s(self) -> float | None:
        """Seconds from `began_at` to `ended_at`, never negative; None while open or unknown."""
        if self.began_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.began_at).total_seconds()

    @property
    def token_key(self) -> str | None:
        """What the token table is keyed by: the token's value, case folded."""
        return None if self.id_token is None else IdToken(self.id_token).key


class TransactionChange(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a transaction. kind: started, state, updated, stopped, estimated, withdrawn, repeated, token or booted."""

    charge_point_id: str
    transaction_id: str
    sequence: int
    ordinal: int
    kind: str
    value: str | None = None
    detail: str | None = None
    seq_no: int | None = None
    changed_at: datetime | None = None
    """The device's clock."""
    received_at: datetime


class TransactionAlias(msgspec.Struct, frozen=True):
    """A second id that turned out to be an earlier transaction."""

    charge_point_id: str
    alias_id: str
    transaction_id: str
    sequence: int


class QuarantinedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A stop that belongs to no transaction we know: kept, answered, listed with its reason.

    `resolved_by` names the transaction that claimed it later (its start came after it).
    """

    charge_point_id: str
    sequence: int
    ordinal: int
    kind: str
    reason: str
    raw_transaction_id: str | None = None
    connector: str | None = None
    id_token: str | None = None
    reported_at: datetime | None = None
    received_at: datetime
    register_wh: int | None = None
    stop_reason: str | None = None
    resolved_by: str | None = None
