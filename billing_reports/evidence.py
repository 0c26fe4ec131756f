"""Facts of a charge point → the evidence about one transaction. Decided here: which reports belong to it, and when each one counts.

Pure. A reading counts at the device's instant where the transaction is ordered by the device's clock and that instant is
believable, else when we received it. Clock-aligned samples, which name no transaction in OCPP 1.6, count for their connector.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import msgspec

from billing_reports.interval_energy import Interval, intervals_of
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.measurement import CURRENT, ENERGY_REGISTER, POWER, Measurement, SignedMeterValue
from chargenet.model.sanity import believable
from chargenet.model.transaction import Transaction
from chargenet.model.words import Protocol

MOST_READINGS = 50_000
"""Of one transaction: a sample a second for half a day. Later ones are left out, and the CDR says so."""
_PHASES = ("L1", "L2", "L3")
_LINE_PHASES = ("L1-N", "L2-N", "L3-N")


class Seen(StrEnum):
    """What the connector did from an instant on, as far as a price cares."""

    CHARGING = "charging"
    """Power flows, or the EVSE holds it back (SuspendedEVSE): the vehicle asks for it."""
    NOT_ASKING = "not asking"
    """SuspendedEV, or connected after charging has ended."""
    PREPARING = "preparing"
    """Connected, before charging."""
    FAULTED = "faulted"
    """The vehicle could not charge, and it is not the driver's doing."""
    PLUGGED = "plugged"
    """Occupied, without a word about who waits (2.x status Occupied)."""
    GONE = "gone"
    """No vehicle."""


_STATUS = {
    "Preparing": Seen.PREPARING,
    "Charging": Seen.CHARGING,
    "SuspendedEVSE": Seen.CHARGING,
    "SuspendedEV": Seen.NOT_ASKING,
    "Finishing": Seen.NOT_ASKING,
    "Faulted": Seen.FAULTED,
    "Available": Seen.GONE,
    "Reserved": Seen.GONE,
    "Occupied": Seen.PLUGGED,
}
_CHARGING_STATE = {
    "Charging": Seen.CHARGING,
    "SuspendedEVSE": Seen.CHARGING,
    "SuspendedEV": Seen.NOT_ASKING,
    "EVConnected": Seen.PREPARING,
    "Idle": Seen.GONE,
}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Sampled values of one instant. Register mWh, power W, current mA over all phases; None where not said."""

    sequence: int
    at: datetime
    received_at: datetime
    register_mwh: int | None = None
    power_w: int | None = None
    current_ma: int | None = None
    aligned: bool = False
    """It names no transaction, only the connector."""


class StateSeen(msgspec.Struct, frozen=True):
    """From `at` on."""

    sequence: int
    at: datetime
    state: Seen
    word: str
    """As reported."""


class Signed(msgspec.Struct, frozen=True):
    """A signed meter value and the record it came in."""

    sequence: int
    value: SignedMeterValue


class Reserved(msgspec.Struct, frozen=True):
    """A reservation that the charge point accepted for this transaction."""

    sequence: int
    at: datetime


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the frames say about one transaction. Readings and states in order of time."""

    readings: tuple[Reading, ...] = ()
    states: tuple[StateSeen, ...] = ()
    signed: tuple[Signed, ...] = ()
    intervals: tuple[Interval, ...] = ()
    """As told, in order of records; `interval_energy` says which count."""
    reserved: Reserved | None = None
    next_began_at: datetime | None = None
    """Another transaction began on the connector after this one ended."""
    upto: int = 0
    """The last record that was looked at."""
    complete: bool = True
    """False: the journal no longer reaches back to its first record, or there were too many readings."""


def gather(row: Transaction, facts: Iterable[Fact], *, ids: Sequence[str] = (), complete: bool = True) -> Evidence:
    """The evidence about `row` among facts of its charge point. `ids`: further ids that mean this transaction."""
    collector = _Collector(row, {row.transaction_id, *ids})
    for fact in sorted(facts, key=lambda each: each.sequence):
        collector.take(fact)
    return collector.evidence(complete)


class _Collector:
    """Sorts events into kinds of evidence."""

    def __init__(self, row: Transaction, ids: set[str]) -> None:
        self._row, self._ids = row, ids
        self._device = row.clock == "device"
        self._readings: list[Reading] = []
        self._states: list[StateSeen] = []
        self._signed: list[Signed] = []
        self._intervals: list[Interval] = []
        self._reserved: Reserved | None = None
        self._asked: dict[str, None] = {}
        self._next: datetime | None = None
        self._upto = 0
        self._cut = False

    def take(self, fact: Fact) -> None:
        """One fact of the charge point."""
        self._upto = max(self._upto, fact.sequence)
        for event in fact.events:
            if isinstance(event, e.MeasurementsTaken):
                self._measured(event, fact)
            elif isinstance(event, e.StatusReported):
                self._status(event, fact)
            elif isinstance(event, e.TransactionStarted | e.TransactionUpdated | e.TransactionStopped):
                self._reported(event, fact)
            elif isinstance(event, e.CommandSent | e.CommandAnswered):
                self._command(event, fact)

    def evidence(self, complete: bool) -> Evidence:
        """What was found."""
        self._readings.sort(key=lambda each: (each.at, each.sequence))
        self._states.sort(key=lambda each: (each.at, each.sequence))
        return Evidence(
            readings=tuple(self._readings),
            states=tuple(self._states),
            signed=tuple(self._signed),
            intervals=tuple(self._intervals),
            reserved=self._reserved,
            next_began_at=self._next,
            upto=self._upto,
            complete=complete and not self._cut,
        )

    def _at(self, at: datetime | None, fact: Fact) -> datetime:
        if self._device and at is not None and believable(at, fact.received_at):
            return at
        return fact.received_at

    def _here(self, connector: object) -> bool:
        label = getattr(connector, "label", None)
        return label is not None and label == self._row.connector

    def _measured(self, event: e.MeasurementsTaken, fact: Fact) -> None:
        mine = event.transaction_id in self._ids
        if not mine and not (event.transaction_id is None and self._here(event.connector)):
            return
        if mine:
            self._signed.extend(Signed(fact.sequence, each) for each in event.signed)
        if len(self._readings) >= MOST_READINGS or len(self._intervals) >= MOST_READINGS:
            self._cut = True
            return
        register, power, current = register_mwh(event.measurements), power_w(event.measurements), current_ma(event.measurements)
        at = self._at(event.measured_at, fact)
        if mine:
            self._intervals += intervals_of(event.measurements, at, fact.sequence)
        if register is None and power is None and current is None:
            return
        self._readings.append(
            Reading(
                sequence=fact.sequence, at=at, received_at=fact.received_at, register_mwh=register, power_w=power,
                current_ma=current, aligned=not mine,
            )
        )  # fmt: skip

    def _status(self, event: e.StatusReported, fact: Fact) -> None:
        """1.6 tells the state of the vehicle by the connector's status; 2.x only whether it is occupied."""
        state = _STATUS.get(event.status)
        if state is not None and self._here(event.connector):
            self._states.append(StateSeen(fact.sequence, self._at(event.reported_at, fact), state, event.raw_status))

    def _reported(self, event: e.TransactionStarted | e.TransactionUpdated | e.TransactionStopped, fact: Fact) -> None:
        at = _instant_of(event)
        if event.transaction_id in self._ids:
            state = _CHARGING_STATE.get(event.charging_state or "") if fact.protocol != Protocol.OCPP16 else None
            if state is not None:
                self._states.append(StateSeen(fact.sequence, self._at(at, fact), state, event.charging_state or ""))
        elif isinstance(event, e.TransactionStarted) and self._here(event.connector):
            began_at = self._at(at, fact)
            ended_at = self._row.ended_at
            if ended_at is not None and began_at >= ended_at and (self._next is None or began_at < self._next):
                self._next = began_at

    def _command(self, event: e.CommandSent | e.CommandAnswered, fact: Fact) -> None:
        """The reservation that this transaction used: it begins when the charge point accepted it."""
        if event.action != "ReserveNow" or self._row.reservation_id is None:
            return
        if isinstance(event, e.CommandSent):
            named = event.payload.get("reservationId", event.payload.get("id"))
            if named == self._row.reservation_id:
                self._asked[event.message_id] = None
        elif event.message_id in self._asked and event.status == "accepted":
            self._reserved = Reserved(fact.sequence, fact.received_at)


def _instant_of(event: e.TransactionStarted | e.TransactionUpdated | e.TransactionStopped) -> datetime | None:
    if isinstance(event, e.TransactionStarted):
        return event.started_at
    return event.updated_at if isinstance(event, e.TransactionUpdated) else event.stopped_at


def register_mwh(measurements: Iterable[Measurement]) -> int | None:
    """The energy register of the outlet, over all phases; the highest where several contexts come together."""
    found = [
        round(each.value * 1000)
        for each in measurements
        if each.measurand == ENERGY_REGISTER and each.phase is None and each.location == "Outlet" and each.unit == "Wh"
    ]
    return max(found, default=None)


def power_w(measurements: Iterable[Measurement]) -> int | None:
    """Power drawn at the outlet, over all phases."""
    return _whole(measurements, POWER, "W", 1)


def current_ma(measurements: Iterable[Measurement]) -> int | None:
    """Current drawn at the outlet, over all phases."""
    return _whole(measurements, CURRENT, "A", 1000)


def _whole(measurements: Iterable[Measurement], measurand: str, unit: str, factor: int) -> int | None:
    """The value without phase, else the sum over the phases that were said."""
    parts: dict[str, float] = {}
    for each in measurements:
        if each.measurand != measurand or each.unit != unit or each.location != "Outlet":
            continue
        if each.phase is None:
            return round(each.value * factor)
        if each.phase in _PHASES or each.phase in _LINE_PHASES:
            parts[each.phase[:2]] = each.value
    return round(sum(parts.values()) * factor) if parts else None
