"""What became of each transaction. Decided here: the states of a billed session, and the changes that are stored together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from billing_reports.cdr import Cdr
from billing_reports.issue import BillingIssue, IssueReason


class SessionState(StrEnum):
    """Where billing is with a transaction."""

    OPEN = "open"
    """It runs."""
    WAITING = "waiting"
    """It has ended; more may be said about it until `look_at`."""
    BILLED = "billed"
    """`cdr_id` is its CDR."""
    ISSUE = "issue"
    """It cannot be billed; `issue` says why."""
    DISMISSED = "dismissed"
    """A person decided that nobody is charged."""
    RESOLVED = "resolved"
    """A report without transaction that found its transaction later."""


class BilledSession(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One transaction, or one report without transaction (`subject` is then `report SEQUENCE.ORDINAL`)."""

    charge_point_id: str
    subject: str
    state: SessionState
    seen_sequence: int = 0
    """`last_sequence` of the transaction as it was judged."""
    evidence_upto: int = 0
    """The last record that was looked at."""
    look_at: datetime | None = None
    revision: int = 0
    """CDRs made so far, credits not counted."""
    cdr_id: str | None = None
    reason: IssueReason | None = None
    issue: BillingIssue | None = None
    token_key: str | None = None
    customer_id: str | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    changed_at: datetime | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored in one SQL transaction. `position`: (before, after) in the journal."""

    sessions: tuple[BilledSession, ...] = ()
    cdrs: tuple[Cdr, ...] = ()
    position: tuple[int, int] | None = None

    @property
    def empty(self) -> bool:
        """Nothing to store."""
        return not self.sessions and not self.cdrs and self.position is None
