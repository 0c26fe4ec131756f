"""Tokens that were presented, security events, and reports about firmware. Decided here: what is one refusal."""

from __future__ import annotations

from datetime import timedelta

from alerts.signals.marks import Mark, push, short
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.ids import IdToken
from chargenet.model.words import TokenStatus

SAME_TRY = timedelta(minutes=1)
"""The same token within this time is the same try: an Authorize and the start that follows it."""
NOT_A_REFUSAL = frozenset({TokenStatus.ACCEPTED.value, TokenStatus.CONCURRENT_TX.value})
FIRMWARE_ENDS = frozenset(
    {"Installed", "InstallationFailed", "InstallVerificationFailed", "DownloadFailed", "InvalidSignature", "InvalidCertificate",
     "RevokedCertificate", "CertificateVerificationFailed", "Idle"}
)  # fmt: skip
"""Statuses after which nothing more happens without a new order."""


def presented(point: PointSignals, fact: Fact, token: IdToken | None, status: str | None) -> None:
    """A token and our answer, from whichever report had both."""
    if token is None or status is None:
        return
    ring = point.accepts if status in NOT_A_REFUSAL else point.rejects
    who = token.hashed
    if any(mark.who == who and fact.received_at - mark.at < SAME_TRY for mark in ring):
        return
    push(ring, Mark(fact.received_at, fact.sequence, str(status), who))


def authorize(point: PointSignals, fact: Fact, event: e.TokenPresented) -> None:
    presented(point, fact, event.id_token, event.token_status)


def security(point: PointSignals, fact: Fact, event: e.SecurityEventReported) -> None:
    push(point.security, Mark(fact.received_at, fact.sequence, short(event.type, 64) or "", detail=short(event.info) or ""))


def firmware(point: PointSignals, fact: Fact, event: e.FirmwareStatusReported) -> None:
    """A repeat of the same status keeps its first instant."""
    known, status = point.firmware, short(event.status, 64)
    if status != known.status:
        known.status, known.status_at, known.status_sequence = status, fact.received_at, fact.sequence
    known.info = short(event.info)
    begun = known.begins_at is not None and fact.received_at >= known.begins_at
    if begun and known.ended_at is None and status in FIRMWARE_ENDS:
        known.ended_at = fact.received_at
