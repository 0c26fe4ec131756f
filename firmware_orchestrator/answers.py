"""What the answer to our order means. Decided here: which answers end an update, which are tried again, and which prove that
nothing was sent."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.model.words import OutcomeStatus
from firmware_orchestrator.retry import Failure
from firmware_orchestrator.rollout import UpdateState
from firmware_orchestrator.rows import DeviceUpdate
from firmware_orchestrator.steps import Step, Terms, failed, moved

SIGNED, PLAIN = "signed", "plain"
OTHER_FORM = frozenset({"NotSupported", "NotImplemented"})
"""L01.FR.20 of the 1.6 security whitepaper: who knows the signed form answers the plain one so; who is older, the signed one."""
_BAD_CERTIFICATE = ("InvalidCertificate", "RevokedCertificate")


# Each argument is one thing that the two ways of hearing (our own wait, the journal) both know.
def answered(
    update: DeviceUpdate,
    status: str,
    error_code: str | None,
    detail: str | None,
    *,
    left: bool,
    at: datetime,
    sequence: int = 0,
    terms: Terms,
) -> Step | None:
    """The end of our call; None when it tells nothing new. `left`: the call was written to the connection."""
    if update.state is not UpdateState.SENDING:
        return None
    if not left:
        return _never_left(update, at, detail or "the charge point is not connected")
    if status == OutcomeStatus.ACCEPTED:
        sent = msgspec.structs.replace(update, sent_at=update.sent_at or at)
        return moved(sent, UpdateState.SENT, at, detail or "accepted", sequence=sequence)
    if status == OutcomeStatus.REJECTED:
        certificate = any(word in (detail or "") for word in _BAD_CERTIFICATE)
        failure = Failure.SIGNATURE if certificate else Failure.REJECTED
        return failed(update, failure, f"refused: {detail or 'without a reason'}", at, terms, sequence=sequence)
    if status == OutcomeStatus.ERROR and error_code in OTHER_FORM:
        return _other_form(update, error_code, at, sequence, terms)
    if status == OutcomeStatus.ERROR:
        sentence = f"refused with {error_code or 'an error'}{f': {detail}' if detail else ''}"
        return failed(update, Failure.REJECTED, sentence, at, terms, sequence=sequence)
    return moved(update, UpdateState.SENT, at, f"it left; {detail or 'no answer'}", sequence=sequence)


def _never_left(update: DeviceUpdate, at: datetime, sentence: str) -> Step:
    """No attempt is used up by what was never sent."""
    queued = msgspec.structs.replace(update, attempt=update.attempt - 1, code="offline")
    return moved(queued, UpdateState.QUEUED, at, f"not sent: {sentence}")


def _other_form(update: DeviceUpdate, error_code: str, at: datetime, sequence: int, terms: Terms) -> Step:
    refused = (*update.refused_forms, update.form)
    update = msgspec.structs.replace(update, refused_forms=refused)
    if next_form(refused, terms.can_sign) is not None:
        queued = msgspec.structs.replace(update, attempt=update.attempt - 1, code="form")
        sentence = f"answers the {update.form} form with {error_code}: the other one is next"
        return moved(queued, UpdateState.QUEUED, at, sentence, sequence=sequence)
    update = msgspec.structs.replace(update, code="form")
    lacks = "" if terms.can_sign or SIGNED in refused else "; its signed form needs an artifact with a signature"
    return moved(update, UpdateState.SKIPPED, at, f"cannot update its firmware by OCPP ({error_code}){lacks}", sequence=sequence)


def next_form(refused: tuple[str, ...], can_sign: bool) -> str | None:
    """The signed form where there is a signature, else the plain one; None when all that we can send were refused."""
    forms = (SIGNED, PLAIN) if can_sign else (PLAIN,)
    return next((form for form in forms if form not in refused), None)
