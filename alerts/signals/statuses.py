"""Statuses and faults of connectors. Decided here: since when a status holds, and when a fault begins.

A fault stands while the status is Faulted, while an error code stands beside another status (1.6), and while a problem that
NotifyEvent reported is not cleared (2.x).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.signals.clocks import sample_status
from alerts.signals.connector import ConnectorSignals, Problem
from alerts.signals.marks import Mark, push, short
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.words import ConnectorStatus

SELF_TEST = timedelta(minutes=2)
"""Charge points say Faulted without a code while they start."""
KEPT_SEQUENCES = 5
MAX_PROBLEMS = 16
NO_ERROR = frozenset({None, "", "NoError"})
PROBLEM_VARIABLES = frozenset({"problem", "fault", "tripped", "overload"})
"""2.x variables that are true while something is wrong (2.0.1 part 2 appendix 3), case folded."""


def reported(point: PointSignals, fact: Fact, event: e.StatusReported) -> None:
    """StatusNotification, or AvailabilityState in a NotifyEvent."""
    connector = point.connector(event.connector.label if event.connector else None)
    status = str(event.status)
    if status == connector.status:
        first, *rest = connector.status_sequences
        connector.status_sequences = (first, *rest[-KEPT_SEQUENCES + 2 :], fact.sequence)
    else:
        connector.status, connector.status_at, connector.status_sequences = status, fact.received_at, (fact.sequence,)
    _error(point, fact, connector, event)
    sample_status(point, fact, event.reported_at)


def _error(point: PointSignals, fact: Fact, connector: ConnectorSignals, event: e.StatusReported) -> None:
    before = (connector.error_code, connector.vendor_error_code) if connector.error_at is not None else None
    connector.error_code, connector.vendor_error_code = short(event.error_code), short(event.vendor_error_code)
    connector.vendor_id, connector.info = short(event.vendor_id), short(event.info)
    coded = event.error_code not in NO_ERROR or (event.error_code is None and event.vendor_error_code not in NO_ERROR)
    if not coded and event.status != ConnectorStatus.FAULTED:
        connector.error_at = None
        return
    now = (connector.error_code, connector.vendor_error_code)
    if before is None:
        connector.error_at, connector.error_sequence = fact.received_at, fact.sequence
    if before != now and (coded or not _starting(point, fact.received_at)):
        what = " ".join(code for code in now if code and code not in NO_ERROR) or "no code"
        push(connector.faults, Mark(fact.received_at, fact.sequence, what))


def _starting(point: PointSignals, at: datetime) -> bool:
    return point.booted_at is not None and at - point.booted_at <= SELF_TEST


def device_event(point: PointSignals, fact: Fact, event: e.DeviceEventReported) -> None:
    """A problem begins, goes on, or is cleared."""
    if event.variable.casefold() not in PROBLEM_VARIABLES:
        return
    connector = point.connector(event.connector.label if event.connector else None)
    key = short(f"{event.component}.{event.variable}[{event.instance or ''}]{event.tech_code or ''}") or ""
    if event.cleared or event.actual_value.strip().casefold() in ("false", "0", ""):
        _clear(connector, event, key)
        return
    if key in connector.problems or len(connector.problems) >= MAX_PROBLEMS:
        return
    connector.problems[key] = Problem(
        at=fact.received_at,
        sequence=fact.sequence,
        component=short(event.component) or "",
        variable=short(event.variable) or "",
        tech_code=short(event.tech_code),
        tech_info=short(event.tech_info),
        severity=event.severity,
    )
    what = short(event.tech_code) or f"{short(event.component)}.{short(event.variable)}"
    push(connector.faults, Mark(fact.received_at, fact.sequence, what))


def _clear(connector: ConnectorSignals, event: e.DeviceEventReported, key: str) -> None:
    """The end of a problem need not repeat its technical code: without one it ends all of that variable."""
    prefix = short(f"{event.component}.{event.variable}[{event.instance or ''}]") or ""
    for known in [known for known in connector.problems if known == key or (not event.tech_code and known.startswith(prefix))]:
        del connector.problems[known]
