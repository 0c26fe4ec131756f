"""A judgement about a transaction → what is stored. Decided here: when a CDR is made, kept, or taken back and made anew. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from billing_reports.cdr import Cdr, credit_of
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.rate import credit_id, differs
from billing_reports.sessions import BilledSession, Change, SessionState
from chargenet.model.transaction import QuarantinedReport, Transaction


def fresh(row: Transaction) -> BilledSession:
    """The session of a transaction that billing sees for the first time."""
    return BilledSession(
        charge_point_id=row.charge_point_id,
        subject=row.transaction_id,
        state=SessionState.OPEN,
        token_key=row.token_key,
        began_at=row.began_at,
    )


def waiting(session: BilledSession, row: Transaction, until: datetime, now: datetime) -> Change:
    """Looked at again at `until`, or when something is said about it."""
    return _one(
        session, row, now, state=SessionState.WAITING, look_at=until, reason=None, issue=None, seen_sequence=row.last_sequence
    )


def reopened(session: BilledSession, row: Transaction, old: Cdr | None, now: datetime) -> Change:
    """It runs (again): a CDR that rested on an estimated end is taken back."""
    credits = () if old is None else (credit_of(old, credit_id(old.id), now, "the transaction went on"),)
    changed = _one(
        session, row, now, state=SessionState.OPEN, look_at=None, reason=None, issue=None, cdr_id=None,
        seen_sequence=row.last_sequence, evidence_upto=0,
    )  # fmt: skip
    return msgspec.structs.replace(changed, cdrs=credits)


def judged(
    session: BilledSession, row: Transaction, found: Cdr | BillingIssue, old: Cdr | None, now: datetime, evidence_upto: int
) -> Change:
    """`found` is new: a CDR (with the id of the next revision) or an issue. `old` is the CDR that holds so far."""
    seen = {"look_at": None, "seen_sequence": row.last_sequence, "evidence_upto": evidence_upto}
    if isinstance(found, BillingIssue):
        issue = msgspec.structs.replace(found, found_at=now)
        credits = () if old is None else (credit_of(old, credit_id(old.id), now, issue.sentence),)
        changed = _one(session, row, now, state=SessionState.ISSUE, reason=issue.reason, issue=issue, cdr_id=None, **seen)
        return msgspec.structs.replace(changed, cdrs=credits)
    if old is not None and not differs(old, found):
        return _one(session, row, now, state=SessionState.BILLED, reason=None, issue=None, **seen)
    made = [] if old is None else [credit_of(old, credit_id(old.id), now, f"corrected by {found.id}")]
    changed = _one(
        session, row, now, state=SessionState.BILLED, reason=None, issue=None, cdr_id=found.id, revision=session.revision + 1,
        customer_id=found.customer_id, **seen,
    )  # fmt: skip
    return msgspec.structs.replace(changed, cdrs=(*made, found))


def dismissed(session: BilledSession, old: Cdr | None, now: datetime, remark: str) -> Change:
    """A person decided that nobody is charged."""
    credits = () if old is None else (credit_of(old, credit_id(old.id), now, remark or "dismissed"),)
    row = msgspec.structs.replace(
        session, state=SessionState.DISMISSED, look_at=None, reason=IssueReason.DISMISSED, issue=None, cdr_id=None, changed_at=now
    )
    return Change(sessions=(row,), cdrs=credits)


def report_issue(report: QuarantinedReport, site_id: str | None, now: datetime) -> BilledSession:
    """A stop in quarantine, or what became of it."""
    state = SessionState.ISSUE if report.resolved_by is None else SessionState.RESOLVED
    issue = BillingIssue(
        charge_point_id=report.charge_point_id,
        transaction_id=report.raw_transaction_id,
        reason=IssueReason.STOP_UNMATCHED,
        sentence=f"a stop that belongs to no known transaction ({report.reason}): look at its frame, then bill it by hand",
        connector=report.connector,
        site_id=site_id,
        id_token=report.id_token,
        ended_at=report.reported_at or report.received_at,
        sequence=report.sequence,
        found_at=now,
    )
    return BilledSession(
        charge_point_id=report.charge_point_id,
        subject=f"report {report.sequence}.{report.ordinal}",
        state=state,
        seen_sequence=report.sequence,
        reason=IssueReason.STOP_UNMATCHED,
        issue=issue,
        token_key=None if report.id_token is None else report.id_token.casefold(),
        ended_at=report.received_at,
        changed_at=now,
    )


def _one(session: BilledSession, row: Transaction, now: datetime, **changes: object) -> Change:
    kept = {"token_key": row.token_key, "began_at": row.began_at, "ended_at": row.ended_at, "changed_at": now}
    return Change(sessions=(msgspec.structs.replace(session, **kept, **changes),))


def merged(changes: list[Change], position: tuple[int, int] | None = None) -> Change:
    """All of them, to be stored in one transaction."""
    return Change(
        sessions=tuple(each for change in changes for each in change.sessions),
        cdrs=tuple(each for change in changes for each in change.cdrs),
        position=position,
    )
