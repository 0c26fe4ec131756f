"""Statuses that last too long. Decided here: which, how long, and what excuses them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from alerts.detectors.rules.view import View, lasting
from alerts.finding import Evidence, Finding
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from chargenet.model.words import ConnectorStatus


class Stuck(msgspec.Struct, frozen=True):
    """One row: what it is called, after which setting, and whether an open transaction makes it another rule's matter."""

    kind: str
    after: str
    idle: bool
    what: str


STUCK: Mapping[str, Stuck] = {
    ConnectorStatus.PREPARING.value: Stuck("stuck_preparing", "preparing_after_s", True, "and no transaction began"),
    ConnectorStatus.FINISHING.value: Stuck("stuck_finishing", "finishing_after_s", True, "and it is not free"),
    ConnectorStatus.UNAVAILABLE.value: Stuck("stuck_unavailable", "unavailable_after_s", False, "without our asking"),
    ConnectorStatus.RESERVED.value: Stuck("stuck_reserved", "reserved_after_s", True, "and nobody came"),
    ConnectorStatus.SUSPENDED_EVSE.value: Stuck("stuck_suspended_evse", "suspended_evse_after_s", False, "the car gets no power"),
    ConnectorStatus.OCCUPIED.value: Stuck("stuck_occupied", "occupied_after_s", True, "without a transaction"),
}
"""Status → its row."""


def status(view: View, label: str | None, connector: ConnectorSignals) -> Finding | None:
    """The connector's own status."""
    row = STUCK.get(connector.status or "")
    if row is None or connector.status_at is None or connector.status is None:
        return None
    after_s: float = getattr(view.settings, row.after)
    if row.kind == "stuck_reserved":
        after_s = _reservation_s(view, connector, connector.status_at)
    lasts_s = view.lasts_s(connector.status_at)
    if lasts_s < after_s or _excused(view, label, connector, row):
        return None
    return _stuck(view, label, row, connector.status, connector.status_at, connector.status_sequences, after_s)


def charging_state(view: View, transaction: OpenTransaction) -> Finding | None:
    """OCPP 2.x says in the transaction that the charge point holds power back."""
    said, at = transaction.charging_state, transaction.charging_state_at
    if said != ConnectorStatus.SUSPENDED_EVSE or at is None:
        return None
    row, after_s = STUCK[said], view.settings.suspended_evse_after_s
    if view.lasts_s(at) < after_s:
        return None
    shown = (transaction.started_sequence, transaction.charging_state_sequence)
    return _stuck(view, transaction.connector, row, said, at, shown, after_s)


def _excused(view: View, label: str | None, connector: ConnectorSignals, row: Stuck) -> bool:
    if row.idle:
        return view.open_at(label) is not None
    if row.kind == "stuck_unavailable" and label is not None:
        return view.point.whole.status == connector.status  # one finding for the whole charge point says it
    return False


def _reservation_s(view: View, connector: ConnectorSignals, status_at: datetime) -> float:
    """Until the reservation's expiry and some grace, where we made it; never less than nothing."""
    order, settings = connector.reserved, view.settings
    if order is None or order.until is None or order.at < status_at - timedelta(hours=1):
        return settings.reserved_after_s
    return max(0.0, (order.until - status_at).total_seconds()) + settings.reserved_grace_s


def _stuck(view: View, label: str | None, row: Stuck, said: str, at: datetime, shown: tuple[int, ...], after_s: float) -> Finding:
    lasts_s = view.lasts_s(at)
    what = f"It has said {said} since {view.when(at)}; more than {lasting(after_s)} is too long."
    evidence = [Evidence(what=what, value=round(lasts_s), unit="s", expected=after_s, sequences=tuple(sorted(set(shown))))]
    siblings = [other for name, other in view.point.connectors.items() if name != label]
    if siblings and label is not None:
        same = sum(other.status == said for other in siblings)
        evidence.append(Evidence(what=f"{same} of {len(siblings)} other connectors of this charge point say the same.", value=same))
    return view.found(row.kind, label, began_at=at, summary=f"{said} for {lasting(lasts_s)}, {row.what}", evidence=evidence)
