"""What we asked of a charge point, as far as it explains what follows. Decided here: from when a call of ours counts.

A call that was refused, or never arrived, explains nothing. One that timed out may have arrived: it counts for what excuses a
boot or an update (to excuse too much for a day is better than to blame a charge point for our own doing), not for availability.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from alerts.signals.connector import Order
from alerts.signals.marks import ID_LENGTH, Mark, push
from alerts.signals.point import MAX_COMMANDS, FirmwareSignals, PointSignals, SentCommand
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.ids import connector
from chargenet.model.words import OutcomeStatus

NEVER_ARRIVED = frozenset({OutcomeStatus.REJECTED.value, OutcomeStatus.ERROR.value, OutcomeStatus.NOT_CONNECTED.value})


def sent(point: PointSignals, fact: Fact, event: e.CommandSent) -> None:
    """Remembered until its answer."""
    read = _READERS.get(event.action)
    command = None if read is None else read(event.action, fact, event.payload)
    if command is None:
        return
    while len(point.commands) >= MAX_COMMANDS:
        del point.commands[next(iter(point.commands))]
    point.commands[event.message_id[:ID_LENGTH]] = command


def answered(point: PointSignals, fact: Fact, event: e.CommandAnswered) -> None:
    """Its effect, by the table."""
    command = point.commands.pop(event.message_id[:ID_LENGTH], None)
    if command is None or event.status in NEVER_ARRIVED:
        return
    if event.status == OutcomeStatus.ACCEPTED or command.action in _COUNT_UNANSWERED:
        _EFFECTS[command.action](point, command)


def _boots(point: PointSignals, command: SentCommand) -> None:
    push(point.orders_to_boot, Mark(command.at, command.sequence, command.action))


def _updates(point: PointSignals, command: SentCommand) -> None:
    """Two boots belong to it: some reboot to install, and again when done."""
    before = point.firmware
    point.firmware = FirmwareSignals(
        ordered_at=command.at,
        ordered_sequence=command.sequence,
        begins_at=command.begins_at or command.at,
        install_at=command.until,
        status=before.status,
        status_at=before.status_at,
        status_sequence=before.status_sequence,
        info=before.info,
    )
    _boots(point, command)
    _boots(point, command)


def _availability(point: PointSignals, command: SentCommand) -> None:
    """To bring the whole charge point back brings back what was taken out with it; connectors keep their own order."""
    place = point.connector(command.connector)
    place.out_of_service = None if command.operative else Order(command.at, command.sequence)


def _reserves(point: PointSignals, command: SentCommand) -> None:
    point.connector(command.connector).reserved = Order(command.at, command.sequence, command.until)


def _availability_sent(action: str, fact: Fact, payload: Mapping[str, Any]) -> SentCommand:
    kind = payload.get("type") or payload.get("operationalStatus")
    operative = kind != "Inoperative"
    return SentCommand(action, fact.received_at, fact.sequence, connector=_place(payload), operative=operative)


def _update_sent(action: str, fact: Fact, payload: Mapping[str, Any]) -> SentCommand:
    image = payload.get("firmware")
    image = image if isinstance(image, Mapping) else payload
    begins_at = _instant(image.get("retrieveDateTime") or image.get("retrieveDate"))
    begins_at = None if begins_at is None else max(begins_at, fact.received_at)
    installs_at = _instant(image.get("installDateTime"))
    return SentCommand(action, fact.received_at, fact.sequence, begins_at=begins_at, until=installs_at)


def _reset_sent(action: str, fact: Fact, _: Mapping[str, Any]) -> SentCommand:
    return SentCommand(action, fact.received_at, fact.sequence)


def _trigger_sent(action: str, fact: Fact, payload: Mapping[str, Any]) -> SentCommand | None:
    """Only a BootNotification that we ask for looks like a boot."""
    return _reset_sent("TriggerMessage", fact, payload) if payload.get("requestedMessage") == "BootNotification" else None


def _reserve_sent(action: str, fact: Fact, payload: Mapping[str, Any]) -> SentCommand:
    until = _instant(payload.get("expiryDate") or payload.get("expiryDateTime"))
    return SentCommand(action, fact.received_at, fact.sequence, connector=_place(payload), until=until)


def _place(payload: Mapping[str, Any]) -> str | None:
    """The connector's label: 1.6 connectorId, 2.x evse or evseId; None for the charge point."""
    evse = payload.get("evse")
    if isinstance(evse, Mapping):
        found = connector(_number(evse.get("id")), _number(evse.get("connectorId")))
    else:
        found = connector(_number(payload.get("connectorId")) or _number(payload.get("evseId")))
    return None if found is None else found.label


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(value: object) -> datetime | None:
    """An instant that we wrote ourselves, or that somebody passed through us."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_READERS: Mapping[str, Callable[[str, Fact, Mapping[str, Any]], SentCommand | None]] = {
    "ChangeAvailability": _availability_sent,
    "UpdateFirmware": _update_sent,
    "SignedUpdateFirmware": _update_sent,
    "Reset": _reset_sent,
    "TriggerMessage": _trigger_sent,
    "ExtendedTriggerMessage": _trigger_sent,
    "ReserveNow": _reserve_sent,
}
_EFFECTS: Mapping[str, Callable[[PointSignals, SentCommand], None]] = {
    "ChangeAvailability": _availability,
    "UpdateFirmware": _updates,
    "SignedUpdateFirmware": _updates,
    "Reset": _boots,
    "TriggerMessage": _boots,
    "ReserveNow": _reserves,
}
_COUNT_UNANSWERED = frozenset({"UpdateFirmware", "SignedUpdateFirmware", "Reset"})
