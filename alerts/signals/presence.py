"""Connections and boots. Decided here: which ends of connections are the charge point's, which boots were asked for."""

from __future__ import annotations

from datetime import timedelta

from alerts.signals.marks import Mark, push, short
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.words import Registration

OUR_ENDS = frozenset({"the server restarts", "the collector ended", "draining", "draining took too long"})
"""Reasons of ends that are our own doing: a restart of this platform is no fault of a charge point."""
EXPECTED_REASONS = frozenset({"RemoteReset", "ScheduledReset", "FirmwareUpdate", "Triggered"})
"""OCPP 2.x BootReasonEnumType: somebody asked for it."""
EXCUSES_FOR = {"TriggerMessage": timedelta(minutes=5)}
EXCUSES_OTHERS_FOR = timedelta(hours=24)
"""A reset when idle, or an update that installs at night, may take so long."""
ORDER_EXPLAINS_FOR = timedelta(days=30)
"""After its installation was due, an update that never showed explains no other version any more."""


def opened(point: PointSignals, fact: Fact, _: e.ConnectionOpened) -> None:
    """The newest connection counts."""
    if fact.generation < point.generation:
        return
    point.generation = fact.generation
    point.connected, point.connection_at, point.connection_sequence = True, fact.received_at, fact.sequence


def closed(point: PointSignals, fact: Fact, event: e.ConnectionClosed) -> None:
    """The end of an old connection cannot mark the charge point offline."""
    if event.reason not in OUR_ENDS:
        how = "superseded" if event.superseded else "lost" if event.lost else "closed"
        push(point.closes, Mark(fact.received_at, fact.sequence, how, detail=short(f"{event.code} {event.reason}".strip()) or ""))
    if fact.generation >= point.generation and not event.superseded:
        point.generation = fact.generation
        point.connected, point.connection_at, point.connection_sequence = False, fact.received_at, fact.sequence


def booted(point: PointSignals, fact: Fact, event: e.ChargePointBooted) -> None:
    """Repeats while the registration is pending (1.6 §4.2) are no reboots. Faults that still stand are reported again."""
    point.vendor = short(event.vendor) or point.vendor
    point.model = short(event.model) or point.model
    _firmware(point, fact, short(event.firmware_version))
    if event.registration != Registration.ACCEPTED:
        return
    point.booted_at = fact.received_at
    push(point.boots, Mark(fact.received_at, fact.sequence, _expected(point, fact, event), detail=short(event.reason) or ""))
    for connector in (point.whole, *point.connectors.values()):
        connector.problems.clear()


def _expected(point: PointSignals, fact: Fact, event: e.ChargePointBooted) -> str:
    """Why it was expected; "" when it was not. Our calls excuse one boot each, the oldest first."""
    now = fact.received_at
    point.orders_to_boot = [
        order for order in point.orders_to_boot if now - order.at <= EXCUSES_FOR.get(order.what, EXCUSES_OTHERS_FOR)
    ]
    if point.orders_to_boot:
        order = point.orders_to_boot.pop(0)
        return f"our {order.what}"
    return event.reason if event.reason in EXPECTED_REASONS else ""


def _firmware(point: PointSignals, fact: Fact, version: str | None) -> None:
    """A version that nobody ordered is noted; one order explains one change."""
    before, firmware = point.firmware_version, point.firmware
    if version is None or version == before:
        return
    point.firmware_version, point.firmware_sequence = version, fact.sequence
    if before is None:
        return
    due_at = firmware.install_at or firmware.begins_at
    if due_at is not None and firmware.changed_at is None and fact.received_at - due_at <= ORDER_EXPLAINS_FOR:
        firmware.changed_at = fact.received_at
        firmware.ended_at = firmware.ended_at or fact.received_at
        return
    push(point.firmware_changes, Mark(fact.received_at, fact.sequence, f"{before} → {version}"))


def variables(point: PointSignals, _: Fact, event: e.VariablesReported) -> None:
    """How often it means to send heartbeats."""
    for name in ("HeartbeatInterval", "OCPPCommCtrlr.HeartbeatInterval"):
        value = event.values.get(name)
        if value is not None and value.strip().isdecimal() and 0 < int(value) <= 7 * 86_400:
            point.heartbeat_interval_s = float(value)
