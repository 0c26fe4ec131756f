"""Refused tokens and security events. Decided here: when refusals are the charge point's fault, and which events wake somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from alerts.detectors.rules.view import View, counted, lasting, sureness
from alerts.finding import Evidence, Finding
from alerts.signals.marks import Mark, sequences, since
from chargenet.model.notice import Severity

ROUTINE = frozenset(
    {"StartupOfTheDevice", "ResetOrReboot", "SettingSystemTime", "FirmwareUpdated", "MaintenanceLoginAccepted"}
)  # fmt: skip
"""Reported by design at every start or visit."""
LOGIN_REFUSED = "LoginRefused"
"""Our own: a log-in with wrong credentials."""
URGENCY: Mapping[str, str] = {
    "TamperDetectionActivated": Severity.CRITICAL,
    "SecurityLogWasCleared": Severity.WARNING,
    "InvalidFirmwareSignature": Severity.WARNING,
    "InvalidFirmwareSigningCertificate": Severity.WARNING,
    "InvalidCsmsCertificate": Severity.WARNING,
    "InvalidCentralSystemCertificate": Severity.WARNING,
    "InvalidChargingStationCertificate": Severity.WARNING,
    "InvalidChargePointCertificate": Severity.WARNING,
    "AttemptedReplayAttacks": Severity.WARNING,
    "ReconfigurationOfSecurityParameters": Severity.WARNING,
    "MaintenanceLoginFailed": Severity.WARNING,
    "FailedToAuthenticateAtCsms": Severity.WARNING,
    "FailedToAuthenticateAtCentralSystem": Severity.WARNING,
    "CsmsFailedToAuthenticate": Severity.WARNING,
    "CentralSystemFailedToAuthenticate": Severity.WARNING,
    LOGIN_REFUSED: Severity.WARNING,
}
"""Types of 2.0.1 part 2 appendix 1 and of the 1.6 security whitepaper; any other is worth knowing and nothing more."""
_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def rejects(view: View) -> Finding | None:
    """Several drivers, not one who tries again and again."""
    settings, point = view.settings, view.point
    if len(point.rejects) < settings.rejects_count:
        return None
    recent = since(point.rejects, view.now, settings.rejects_window_s)
    drivers = len({mark.who for mark in recent})
    if len(recent) < settings.rejects_count or drivers < settings.rejects_tokens:
        return None
    window = lasting(settings.rejects_window_s)
    let_in = since(point.accepts, view.now, settings.rejects_window_s)
    answers = ", ".join(f"{what} {times}" for what, times in sorted(Counter(mark.what for mark in recent).items()))
    return view.found(
        "authorization_rejects",
        None,
        began_at=recent[0].at,
        score=sureness(len(recent)),
        summary=f"{len(recent)} refusals of {drivers} different tokens within {window}",
        evidence=[
            Evidence(
                what=f"{len(recent)} refusals of {drivers} different tokens in {window} ({answers}).",
                value=len(recent),
                unit="refusals",
                expected=settings.rejects_count,
                sequences=sequences(recent),
            ),
            Evidence(what=f"{len(let_in)} were accepted in that time.", value=len(let_in), sequences=sequences(let_in)),
        ],
    )


def security(view: View) -> Finding | None:
    """One finding for all that is recent, as urgent as the most urgent of it."""
    told = _telling(view)
    if not told:
        return None
    by_type: dict[str, list[Mark]] = {}
    for mark in told:
        by_type.setdefault(mark.what, []).append(mark)
    ranked = sorted(by_type, key=lambda what: (-_RANK[_urgency(what)], what))
    worst = ranked[0]
    return view.found(
        "security_event",
        None,
        began_at=told[0].at,
        severity=_urgency(worst),
        summary=f"it reports {worst}" if worst != LOGIN_REFUSED else f"its log-in was refused {len(by_type[worst])} times",
        evidence=[_evidence(view, what, by_type[what]) for what in ranked],
    )


def _telling(view: View) -> list[Mark]:
    settings = view.settings
    if not view.point.security:
        return []
    recent = [mark for mark in since(view.point.security, view.now, settings.security_kept_s) if mark.what not in ROUTINE]
    refused = [mark for mark in recent if mark.what == LOGIN_REFUSED]
    if len(since(refused, view.now, settings.login_refused_window_s)) < settings.login_refused_count:
        recent = [mark for mark in recent if mark.what != LOGIN_REFUSED]
    return recent


def _urgency(what: str) -> str:
    return URGENCY.get(what, Severity.INFO)


def _evidence(view: View, what: str, marks: list[Mark]) -> Evidence:
    detail = f': "{marks[-1].detail}"' if marks[-1].detail else ""
    return Evidence(
        what=f"{what}, {counted(len(marks), 'time')}, the last at {view.when(marks[-1].at)}{detail}.",
        value=len(marks),
        unit="events",
        sequences=sequences(marks),
    )
