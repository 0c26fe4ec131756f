"""What counts as an event of which signal, from what one charge point says. Decided here: the definitions; not who is at risk.

A row remembers of its charge point what the definitions need (connected, faulted places, open transactions, what is due when);
a reader per kind of event changes it and gives the signals that occurred. Pure; instants are microseconds since the epoch, 0: none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from chargenet.events import (
    ChargePointBooted,
    CommandAnswered,
    CommandSent,
    ConnectionClosed,
    ConnectionOpened,
    DeviceEventReported,
    Event,
    FrameDeviated,
    FrameRefused,
    MeasurementsTaken,
    StatusReported,
    TokenPresented,
    TransactionStarted,
    TransactionStopped,
    TransactionUpdated,
)
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.words import ConnectorStatus, OutcomeStatus, Registration, TokenStatus
from firmware_orchestrator.evidence.signals import Signal

MINUTE_US = 60_000_000
OFFLINE_US = 10 * MINUTE_US
START_US = 5 * MINUTE_US
METER_GAP_US = 15 * MINUTE_US
PLANNED_US = 10 * MINUTE_US
LOOP_US = 60 * MINUTE_US
LOOP_BOOTS = 3
SHORT_S = 120.0
LONG_S = 300.0
ENERGY_WH = 100
COARSE_WH = 10
"""A register in kWh with two decimals, beside one in whole watt-hours, seems to run back by so much."""
SEVERITY = 3
_PLACES = 50
_OPEN = 20
_CODES = 50
_PLANNED_REASONS = frozenset({"FirmwareUpdate", "RemoteReset", "ScheduledReset", "Triggered"})
_NOT_SUPPORTED = frozenset({"NotSupported", "NotImplemented"})
_REMOTE_STARTS = frozenset({"RemoteStartTransaction", "RequestStartTransaction"})

CONTROL, TREATED, NEITHER = 0, 1, 2
"""Groups."""


class Open(msgspec.Struct, omit_defaults=True):
    """A transaction under way."""

    received_us: int
    started_us: int = 0
    """By its own clock."""
    first_wh: float | None = None
    last_wh: float | None = None


class Row(msgspec.Struct, kw_only=True, omit_defaults=True, rename=lambda name: "".join(part[:2] for part in name.split("_"))):
    """One charge point. Short names in the store: there is one for each charge point of the rollout."""

    charge_point_id: str
    site: str | None = None
    model: str | None = None
    weights: tuple[int, ...] = ()
    group: int = CONTROL
    wave: int = 0
    finished: bool = False
    """An installation of it has been counted."""
    excluded: bool = False
    version: str | None = None
    connected: bool = True
    generation: int = 0
    settle_us: int = 0
    recheck_us: int = 0
    planned_us: int = 0
    masked_us: int = 0
    offline_us: int = 0
    start_us: int = 0
    meter_us: int = 0
    faulted: list[str] = []
    faulted_before: list[str] = []
    boots: list[int] = []
    looped: bool = False
    loops_before: bool = False
    codes_before: tuple[str, ...] = ()
    codes_new: list[str] = []
    open: dict[str, Open] = {}
    good_sessions: int = 0
    quiet: dict[int, int] = {}
    hits: dict[int, int] = {}
    """Index of a signal → how many events of it were counted."""
    had: int = 0
    risk: int = 0
    risk_group: int = NEITHER
    """As they are counted in risk.py: bits of signals, group."""

    @property
    def watched(self) -> bool:
        """Do hard rules look at it as one with the new firmware? From its first boot with it."""
        return self.group == TREATED or self.settle_us > 0

    def dues(self) -> tuple[int, ...]:
        """Instants at which something changes by itself; 0: none."""
        own = (self.settle_us, self.recheck_us, self.planned_us, self.masked_us, self.offline_us, self.start_us, self.meter_us)
        return (*own, *self.quiet.values())

    def postpone(self, now: int, by_us: int) -> None:
        """What was still to come at `now` comes so much later."""
        for name in ("settle_us", "recheck_us", "planned_us", "masked_us", "offline_us", "start_us", "meter_us"):
            if (due_us := getattr(self, name)) > now:
                setattr(self, name, due_us + by_us)


class Said(msgspec.Struct, frozen=True):
    """Around an event: when we received it, over which connection, and which error codes are of no interest or of great."""

    at_us: int
    generation: int
    ignored_codes: frozenset[str]
    safety_codes: frozenset[str]


Occurred = tuple[Signal, ...]
_NONE: Occurred = ()


def occurred(row: Row, event: Event, said: Said) -> Occurred:
    """The signals of which `event` is an occurrence; the row has taken it in."""
    reader = READERS.get(type(event))
    return _NONE if reader is None else reader(row, event, said)


def due(row: Row, now: int) -> Occurred:
    """What occurred because nothing came in time. Each of them is due once."""
    signals: list[Signal] = []
    if 0 < row.settle_us <= now:
        row.recheck_us = row.settle_us + MINUTE_US
        row.settle_us, row.group = 0, TREATED
    if 0 < row.recheck_us <= now:
        row.recheck_us = 0
        if set(row.faulted) - set(row.faulted_before):
            signals.append(Signal.FAULTS)  # it came up faulted, while it was masked, and has stayed so
    if 0 < row.offline_us <= now:
        row.offline_us = 0
        signals.append(Signal.OFFLINE)
    if 0 < row.start_us <= now:
        row.start_us = 0
        signals.append(Signal.FAILED_STARTS)
    if 0 < row.meter_us <= now:
        row.meter_us = 0
        signals.append(Signal.METER_GAPS)
    return tuple(signals)


def _opened(row: Row, event: ConnectionOpened, said: Said) -> Occurred:
    row.connected, row.offline_us, row.generation = True, 0, said.generation
    row.meter_us = said.at_us + METER_GAP_US if row.open else 0
    return _NONE


def _closed(row: Row, event: ConnectionClosed, said: Said) -> Occurred:
    if event.superseded or said.generation < row.generation or not row.connected:
        return _NONE
    row.connected, row.start_us, row.meter_us = False, 0, 0
    # After a mask it has a minute to show that it is back: at risk again, and then counted.
    row.offline_us = max(said.at_us + OFFLINE_US, *(until + MINUTE_US for until in (row.masked_us, row.planned_us, row.settle_us)))
    return _NONE


def _booted(row: Row, event: ChargePointBooted, said: Said) -> Occurred:
    changed = row.version is not None and event.firmware_version not in (None, row.version)
    row.version = event.firmware_version or row.version
    if changed and (row.group != NEITHER or row.settle_us):
        row.excluded = True  # somebody else updated it: it proves nothing for either group
        return _NONE
    if event.registration != Registration.ACCEPTED or event.reason in _PLANNED_REASONS or said.at_us < row.planned_us:
        return _NONE
    recent = [at for at in row.boots if said.at_us - at < LOOP_US]
    row.boots = [*recent[-LOOP_BOOTS + 1 :], said.at_us]
    if len(row.boots) >= LOOP_BOOTS and not row.loops_before and (row.watched or row.group == CONTROL):
        row.looped = True
    return (Signal.BOOTS,)


def _status(row: Row, event: StatusReported, said: Said) -> Occurred:
    code = event.error_code if event.error_code not in (None, "", "NoError") else None
    if code in said.safety_codes:
        _safety(row, str(code))
    faulty = event.status == ConnectorStatus.FAULTED or (code is not None and code not in said.ignored_codes)
    return _place(row, _label(event.connector), faulty)


def _device_event(row: Row, event: DeviceEventReported, said: Said) -> Occurred:
    place = f"{_label(event.connector)} {event.component}.{event.variable}"
    if event.cleared:
        return _place(row, place, False)
    for code in (event.tech_code, event.variable):
        if code in said.safety_codes:
            _safety(row, str(code))
    ignored = event.tech_code in said.ignored_codes or event.variable in said.ignored_codes
    return _place(row, place, event.severity is not None and event.severity <= SEVERITY and not ignored)


def _place(row: Row, place: str, faulty: bool) -> Occurred:
    """A fault occurs once, until its place is well again."""
    if not faulty:
        row.faulted = [each for each in row.faulted if each != place]
        return _NONE
    if place in row.faulted:
        return _NONE
    row.faulted = [*row.faulted[-_PLACES + 1 :], place]
    return (Signal.FAULTS,)


def _safety(row: Row, code: str) -> None:
    if code not in row.codes_before and code not in row.codes_new and (row.watched or row.group == CONTROL):
        row.codes_new = [*row.codes_new[-_CODES + 1 :], code]


def _token(row: Row, event: TokenPresented, said: Said) -> Occurred:
    if event.token_status == TokenStatus.ACCEPTED and not row.open:
        row.start_us = row.start_us or said.at_us + START_US
    return _NONE


def _sent(row: Row, event: CommandSent, said: Said) -> Occurred:
    asked_for_boot = event.action == "TriggerMessage" and event.payload.get("requestedMessage") == "BootNotification"
    if event.action == "Reset" or asked_for_boot:
        row.planned_us = said.at_us + PLANNED_US
        if row.offline_us:
            row.offline_us = max(row.offline_us, row.planned_us + MINUTE_US)
    return _NONE


def _answered(row: Row, event: CommandAnswered, said: Said) -> Occurred:
    if event.status == OutcomeStatus.ACCEPTED and event.action in _REMOTE_STARTS and not row.open:
        row.start_us = row.start_us or said.at_us + START_US
    failed = event.status == OutcomeStatus.TIMED_OUT or (
        event.status == OutcomeStatus.ERROR and event.error_code not in _NOT_SUPPORTED
    )
    return (Signal.PROTOCOL_ERRORS,) if failed else _NONE


def _refused(row: Row, event: FrameRefused, said: Said) -> Occurred:
    return (Signal.PROTOCOL_ERRORS,)


def _deviated(row: Row, event: FrameDeviated, said: Said) -> Occurred:
    return (Signal.PROTOCOL_ERRORS,) if event.quirk == "schema" else _NONE


def _started(row: Row, event: TransactionStarted, said: Said) -> Occurred:
    row.start_us = 0
    if not event.offline:
        _trim(row)
        row.open[event.transaction_id] = Open(said.at_us, _us(event.started_at), event.energy_register_wh, event.energy_register_wh)
        row.meter_us = said.at_us + METER_GAP_US
    return _NONE


def _updated(row: Row, event: TransactionUpdated, said: Said) -> Occurred:
    register = None if event.energy_register_wh is None else float(event.energy_register_wh)
    return _register(row, event.transaction_id, register, said)


def _measured(row: Row, event: MeasurementsTaken, said: Said) -> Occurred:
    if event.transaction_id is None or event.transaction_id not in row.open:
        return _NONE
    registers = (each.value for each in event.measurements if each.measurand == ENERGY_REGISTER and each.phase is None)
    return _register(row, event.transaction_id, next(registers, None), said)


def _register(row: Row, transaction_id: str, register: float | None, said: Said) -> Occurred:
    open_ = row.open.get(transaction_id)
    if open_ is None:
        return _NONE
    row.meter_us = said.at_us + METER_GAP_US
    if register is None:
        return _NONE
    backwards = open_.last_wh is not None and register < open_.last_wh - COARSE_WH
    open_.first_wh = register if open_.first_wh is None else open_.first_wh
    open_.last_wh = register
    return (Signal.METER_GAPS,) if backwards else _NONE


def _stopped(row: Row, event: TransactionStopped, said: Said) -> Occurred:
    open_ = row.open.pop(event.transaction_id, None) if event.transaction_id is not None else None
    if not row.open:
        row.meter_us = 0
    if open_ is None or event.offline:
        return _NONE
    last = event.energy_register_wh if event.energy_register_wh is not None else open_.last_wh
    if last is None or open_.first_wh is None:
        return _NONE
    if last - open_.first_wh >= ENERGY_WH:
        row.good_sessions += row.watched
        return _NONE
    stopped_us = _us(event.stopped_at)
    own_clock = open_.started_us and stopped_us >= open_.started_us
    seconds = (stopped_us - open_.started_us if own_clock else said.at_us - open_.received_us) / 1e6
    if seconds < SHORT_S:
        return (Signal.FAILED_STARTS,)
    return (Signal.NO_ENERGY,) if seconds > LONG_S else _NONE


def _trim(row: Row) -> None:
    while len(row.open) >= _OPEN:
        row.open.pop(next(iter(row.open)))


def _label(connector: ConnectorRef | None) -> str:
    return connector.label if connector is not None else "0"


def _us(at: datetime | None) -> int:
    return 0 if at is None else round(at.timestamp() * 1e6)


READERS: dict[type[Event], Callable[[Row, Any, Said], Occurred]] = {
    ConnectionOpened: _opened,
    ConnectionClosed: _closed,
    ChargePointBooted: _booted,
    StatusReported: _status,
    DeviceEventReported: _device_event,
    TokenPresented: _token,
    CommandSent: _sent,
    CommandAnswered: _answered,
    FrameRefused: _refused,
    FrameDeviated: _deviated,
    TransactionStarted: _started,
    TransactionUpdated: _updated,
    MeasurementsTaken: _measured,
    TransactionStopped: _stopped,
}
