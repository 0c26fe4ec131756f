"""All rules as one table. Decided here: which rule looks at what, and which kinds it can give."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from alerts.detectors.rules import access, clocks, faults, links, meters, running, stuck, updates
from alerts.detectors.rules.view import View
from alerts.finding import Finding
from alerts.signals.connector import ConnectorSignals, OpenTransaction


class PointRule(msgspec.Struct, frozen=True):
    """Looks at a charge point."""

    kinds: tuple[str, ...]
    look: Callable[[View], Finding | None]


class ConnectorRule(msgspec.Struct, frozen=True):
    """Looks at a connector, or at the charge point as a whole (label None)."""

    kinds: tuple[str, ...]
    look: Callable[[View, str | None, ConnectorSignals], Finding | None]


class TransactionRule(msgspec.Struct, frozen=True):
    """Looks at an open transaction."""

    kinds: tuple[str, ...]
    look: Callable[[View, OpenTransaction], Finding | None]


POINT_RULES: tuple[PointRule, ...] = (
    PointRule(("reboot_loop",), links.reboot_loop),
    PointRule(("connection_flapping",), links.connection_flapping),
    PointRule(("clock_drift",), clocks.drift),
    PointRule(("firmware_failed",), updates.failed),
    PointRule(("unexpected_firmware",), updates.unexpected),
    PointRule(("authorization_rejects",), access.rejects),
    PointRule(("security_event",), access.security),
)
CONNECTOR_RULES: tuple[ConnectorRule, ...] = (
    ConnectorRule(("safety_fault", "faulted"), faults.faulted),
    ConnectorRule(("fault_flapping",), faults.flapping),
    ConnectorRule(tuple(row.kind for row in stuck.STUCK.values()), stuck.status),
    ConnectorRule(("register_backwards",), meters.backwards),
    ConnectorRule(("meter_jump",), meters.jumped),
)
TRANSACTION_RULES: tuple[TransactionRule, ...] = (
    TransactionRule(("zombie_transaction",), running.zombie),
    TransactionRule(("eternal_transaction",), running.eternal),
    TransactionRule(("transaction_on_available",), running.on_available),
    TransactionRule(("stuck_suspended_evse",), stuck.charging_state),
    TransactionRule(("register_frozen",), meters.frozen),
)

POINT_KINDS: frozenset[str] = frozenset(
    kind for rules in (POINT_RULES, CONNECTOR_RULES, TRANSACTION_RULES) for rule in rules for kind in rule.kinds
)
"""Kinds that a look at one charge point gives: when it does not give one, it is over."""
NETWORK_KINDS: frozenset[str] = frozenset({"offline", "site_offline", "vendor_offline", "network_offline"})
"""Kinds that only a look at the whole network can give."""


def look(view: View) -> list[Finding]:
    """All findings of the table about one charge point, each kind once per connector."""
    point = view.point
    found = [rule.look(view) for rule in POINT_RULES]
    for rule in CONNECTOR_RULES:
        found.append(rule.look(view, None, point.whole))
        found.extend([rule.look(view, label, connector) for label, connector in point.connectors.items()])
    for transaction in point.transactions.values():
        found.extend([rule.look(view, transaction) for rule in TRANSACTION_RULES])
    return _once([finding for finding in found if finding is not None])


def _once(findings: list[Finding]) -> list[Finding]:
    """Two rules, or two transactions without a connector, may say the same: the surest counts, then the earliest."""
    if len(findings) < 2:
        return findings
    kept: dict[tuple[str, str | None], Finding] = {}
    for finding in sorted(findings, key=lambda each: (-each.score, each.began_at)):
        kept.setdefault((finding.kind, finding.connector), finding)
    return list(kept.values())
