"""Faults. Decided here: which speak at once (somebody can be hurt), which may pass, and which keep coming back."""

from __future__ import annotations

from datetime import datetime

from alerts.codes import Code, translate, translate_component
from alerts.detectors.rules.view import View, counted, lasting, sureness
from alerts.finding import Evidence, Finding
from alerts.signals.connector import ConnectorSignals
from alerts.signals.marks import KEPT, sequences, since
from chargenet.model.notice import Severity
from chargenet.model.words import ConnectorStatus

FAULTED = ConnectorStatus.FAULTED.value
DANGER = 0
"""Severity of a 2.x event: danger to people (2.0.1 part 2, EventNotification severity)."""


def faulted(view: View, label: str | None, connector: ConnectorSignals) -> Finding | None:
    """safety_fault at once; faulted after `fault_after_s`, and only while it says Faulted."""
    if connector.error_at is None and not connector.problems:
        return None
    codes = standing(view, connector)
    began_at = _since(connector)
    if any(code.safety for code in codes) or any(each.severity == DANGER for each in connector.problems.values()):
        return _dangerous(view, label, connector, codes, began_at)
    if connector.status != FAULTED or connector.status_at is None:
        return None
    lasts_s = view.lasts_s(connector.status_at)
    if lasts_s < view.settings.fault_after_s:
        return None
    return view.found(
        "faulted",
        label,
        began_at=connector.status_at,
        summary=f"Faulted for {lasting(lasts_s)}: {_names(codes)}",
        evidence=_evidence(view, label, connector, codes),
        action=_action(view, "faulted", codes),
    )


def standing(view: View, connector: ConnectorSignals) -> tuple[Code, ...]:
    """All codes that stand now, those of safety first."""
    codes: list[Code] = []
    vendor = view.point.vendor
    if connector.error_at is not None:
        codes += translate(connector.error_code, connector.vendor_error_code, connector.vendor_id, connector.info, vendor)
    for problem in connector.problems.values():
        codes += translate_component(problem.component, problem.tech_code, vendor)
    once = {(code.family, code.code): code for code in codes}
    return tuple(sorted(once.values(), key=lambda code: not code.safety))


def _dangerous(view: View, label: str | None, connector: ConnectorSignals, codes: tuple[Code, ...], began_at: datetime) -> Finding:
    """It pages while it has stopped the connector; a car that still charges under a warning is for the morning."""
    dangers = tuple(code for code in codes if code.safety)
    stopped = connector.status in (FAULTED, ConnectorStatus.UNAVAILABLE) or any(
        problem.severity == DANGER for problem in connector.problems.values()
    )
    return view.found(
        "safety_fault",
        label,
        began_at=began_at,
        summary=f"{_names(dangers or codes)} reported, status {connector.status or 'unknown'}",
        evidence=_evidence(view, label, connector, codes),
        severity=Severity.CRITICAL if stopped else Severity.WARNING,
        action=_action(view, "safety_fault", codes),
    )


def _since(connector: ConnectorSignals) -> datetime:
    starts = [problem.at for problem in connector.problems.values()]
    if connector.error_at is not None:
        starts.append(connector.error_at)
    return min(starts)


def _names(codes: tuple[Code, ...]) -> str:
    """E.g. "GroundFailure (CX002) and EVSEContactorFault (CX017)"."""
    named = [code.name if code.name == code.code else f"{code.name} ({code.code})" for code in codes]
    if not named:
        return "without an error code"
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def _evidence(view: View, label: str | None, connector: ConnectorSignals, codes: tuple[Code, ...]) -> list[Evidence]:
    told = []
    if connector.status_at is not None:
        what = f"It has said {connector.status} since {view.when(connector.status_at)}"
        what += f', with the remark "{connector.info}".' if connector.info else "."
        told.append(Evidence(what=what, value=connector.status, sequences=connector.status_sequences))
    shown = tuple(sorted({each.sequence for each in connector.problems.values()} | _coded(connector)))
    for code in codes:
        doubt = "" if code.confirmed else " (the name of this code is not confirmed)"
        told.append(Evidence(what=f"{_names((code,))}: {code.means}{doubt}", value=code.code, sequences=shown))
    running = view.open_at(label)
    if running is not None:
        what = f"A transaction has been open there since {view.when(running.started_at)}: a driver is waiting."
        told.append(Evidence(what=what, value=1, unit="transactions", sequences=(running.started_sequence,)))
    return told


def _coded(connector: ConnectorSignals) -> set[int]:
    return {connector.error_sequence} if connector.error_at is not None else set()


def _action(view: View, kind: str, codes: tuple[Code, ...]) -> str | None:
    """What to look at, where the code says it."""
    check = next((code.check for code in codes if code.check), None)
    if check is None:
        return None
    if kind == "safety_fault":
        return f"Take it out of service now, do not reset it from afar, and send an electrician to look at {check}."
    return f"Reset it once it is idle; if the fault comes back, have somebody look at {check}."


def flapping(view: View, label: str | None, connector: ConnectorSignals) -> Finding | None:
    """Faults that each end soon, and come again."""
    settings = view.settings
    if len(connector.faults) < settings.fault_flapping_count:
        return None
    recent = since(connector.faults, view.now, settings.fault_flapping_window_s)
    if len(recent) < settings.fault_flapping_count:
        return None
    codes = sorted({mark.what for mark in recent})
    window = lasting(settings.fault_flapping_window_s)
    how_many = counted(len(recent), "fault") + (" or more" if len(recent) >= KEPT else "")
    what = f"{how_many} in {window}, the last at {view.when(recent[-1].at)}: {', '.join(codes[:5])}."
    return view.found(
        "fault_flapping",
        label,
        began_at=recent[0].at,
        score=sureness(len(recent)),
        summary=f"{how_many} began within {window}",
        evidence=[
            Evidence(
                what=what, value=len(recent), unit="faults", expected=settings.fault_flapping_count, sequences=sequences(recent)
            )
        ],
    )
