"""Facts → intervals, energy and sessions per connector. Decided here: whose clock places a report, and what it changes.

Pure: depends on the facts in their order and nothing else. A report is placed by the device's clock where that is believable, so
what a charge point tells late lands where it happened, and the hours that it changes are named (`Emitted.dirty`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from billing_reports.rollup_energy import meter
from billing_reports.rollup_link import close_link, note_silence, open_link
from billing_reports.rollup_rows import Emitted
from billing_reports.rollup_state import FLOW, STATUS, TRANSACTION, Mark, NetworkState, PlaceState, PointState, Running, Span
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER, Composition, Plans, together
from chargenet.model.sanity import believable
from chargenet.model.text import storable_text
from chargenet.model.words import ConnectorStatus

MAX_MARKS = 8
"""Statuses per connector that a late one can still be put between."""
MAX_TRANSACTIONS = 12
"""Remembered per charge point; the oldest ended one is forgotten first."""
FRESH_BOOT = timedelta(minutes=10)
"""A boot notification this soon after connecting means that statuses of before are of another life."""


def _register(composition: Composition) -> int:
    """Where the connector's energy register stands among the values; -1 for nowhere."""
    for at, kind in enumerate(composition.kinds):
        if kind.measurand == ENERGY_REGISTER and kind.phase is None and kind.location == "Outlet":
            return at
    return -1


_REGISTER = Plans(_register)


class Fold:
    """Applies the facts of one charge point to its state."""

    def __init__(self, state: PointState, network: NetworkState, emitted: Emitted) -> None:
        self._state, self._network, self._out = state, network, emitted
        self._fact: Fact

    def apply(self, fact: Fact) -> None:
        """One fact. Its readings go last: those in a stop's own frame belong to the transaction, wherever they stand in it."""
        self._fact = fact
        note_silence(self._network, fact)
        if self._state.link_changed_at is None:
            open_link(self._state, fact, self._out, assumed=True)
        events = fact.events
        if len(events) == 1:
            handler = _HANDLERS.get(type(events[0]))
            if handler is not None:
                handler(self, events[0])
            return
        for last in (False, True):
            for event in events:
                handler = _HANDLERS.get(type(event))
                if handler is not None and (type(event) is e.MeasurementsTaken) is last:
                    handler(self, event)

    # -- connections and boots

    def _opened(self, event: e.ConnectionOpened) -> None:
        open_link(self._state, self._fact, self._out, assumed=False)

    def _closed(self, event: e.ConnectionClosed) -> None:
        close_link(self._state, self._network, self._fact, event, self._out)

    def _booted(self, event: e.ChargePointBooted) -> None:
        """After a real boot a status counts only once it is said again: unknown is not available."""
        at, linked = self._fact.received_at, self._state.linked_at
        since = max((each for each in (linked, self._state.reopened_at) if each is not None), default=at)
        if at - since > FRESH_BOOT:
            return
        for label, place in self._state.places.items():
            if place.marks and place.marks[-1].at < at and place.marks[-1].value != ConnectorStatus.UNKNOWN:
                self._mark(label, place, Mark(at=at, value=ConnectorStatus.UNKNOWN, detail="booted", sequence=self._fact.sequence))

    # -- statuses

    def _status(self, event: e.StatusReported) -> None:
        label = event.connector.label if event.connector is not None else ""
        at = self._effective(event.reported_at)
        mark = Mark(at=at, value=str(event.status), detail=_error(event), sequence=self._fact.sequence)
        self._mark(label, self._place(label, at), mark)
        if label and event.status == ConnectorStatus.AVAILABLE:
            for running in self._state.transactions.values():
                if running.connector == label and running.ended_at is None and running.began_at <= at:
                    self._end(running, at)

    def _mark(self, label: str, place: PlaceState, mark: Mark) -> None:
        """Puts it between its neighbours in time; the span before it ends where it begins."""
        marks = place.marks
        index = len(marks)
        while index and marks[index - 1].at > mark.at:
            index -= 1
        if index == 0 and len(marks) >= MAX_MARKS:
            return  # older than all that is remembered
        before = marks[index - 1] if index else None
        if before is not None and (before.value, before.detail) == (mark.value, mark.detail):
            return
        after = marks[index].at if index < len(marks) else None
        if before is not None and before.at == mark.at:
            marks[index - 1] = mark
        else:
            marks.insert(index, mark)
            if before is not None:
                self._span(label, STATUS, before.at, mark.at, before.value, before.detail, before.sequence)
        self._span(label, STATUS, mark.at, after, mark.value, mark.detail, mark.sequence)
        self._out.touch(self._fact.charge_point_id, mark.at)
        del marks[:-MAX_MARKS]

    # -- transactions

    def _started(self, event: e.TransactionStarted) -> None:
        self._reported(event.transaction_id, event.connector, event.started_at, event.energy_register_wh, event.charging_state)

    def _updated(self, event: e.TransactionUpdated) -> None:
        self._reported(event.transaction_id, event.connector, event.updated_at, event.energy_register_wh, event.charging_state)

    def _stopped(self, event: e.TransactionStopped) -> None:
        if event.transaction_id is None:
            return
        running = self._reported(
            event.transaction_id, event.connector, event.stopped_at, event.energy_register_wh, event.charging_state
        )
        if running is not None:
            self._end(running, self._effective(event.stopped_at))

    def _reported(
        self, transaction_id: str, connector: ConnectorRef | None, at: datetime | None, register_wh: int | None, flow: str | None
    ) -> Running | None:
        """A sign of a transaction, which begins with its first. None where no connector is known."""
        when, key = self._effective(at), storable_text(transaction_id)
        running = self._state.transactions.get(key)
        if running is None:
            if connector is None:
                return None
            running = self._begin(key, connector.label, when)
        if register_wh is not None:
            self._read(running, when, register_wh)
        if flow is not None and flow != running.flow:
            self._flow(running, when, flow)
        return running

    def _begin(self, key: str, label: str, at: datetime) -> Running:
        for other in self._state.transactions.values():
            if other.connector == label and other.ended_at is None and other.began_at <= at:
                self._end(other, at)
        self._place(label, at)
        running = Running(connector=label, began_at=at, sequence=self._fact.sequence)
        self._state.transactions[key] = running
        self._span(label, TRANSACTION, at, None, key, "", running.sequence)
        self._out.add(self._fact.charge_point_id, label, at, sessions=1)
        self._out.touch(self._fact.charge_point_id, at)
        self._forget_ended()
        return running

    def _end(self, running: Running, at: datetime) -> None:
        at = max(at, running.began_at)
        if running.ended_at == at:
            return
        earlier = min(at, running.ended_at or at)
        running.ended_at = at
        key = next(key for key, each in self._state.transactions.items() if each is running)
        self._span(running.connector, TRANSACTION, running.began_at, at, key, "", running.sequence)
        if running.flow is not None and running.flow_at is not None:
            flow_end = max(at, running.flow_at)
            self._span(running.connector, FLOW, running.flow_at, flow_end, running.flow, "", running.flow_sequence)
        self._out.touch(self._fact.charge_point_id, earlier)

    def _flow(self, running: Running, at: datetime, flow: str) -> None:
        if running.flow_at is not None and at < running.flow_at:
            return  # told late, and already known to have ended
        if running.flow is not None and running.flow_at is not None and running.flow_at < at:
            self._span(running.connector, FLOW, running.flow_at, at, running.flow, "", running.flow_sequence)
        running.flow, running.flow_at, running.flow_sequence = storable_text(flow), at, self._fact.sequence
        self._span(running.connector, FLOW, at, running.ended_at, running.flow, "", running.flow_sequence)
        self._out.touch(self._fact.charge_point_id, at)

    def _forget_ended(self) -> None:
        transactions = self._state.transactions
        while len(transactions) > MAX_TRANSACTIONS:
            ended = next((key for key, each in transactions.items() if each.ended_at is not None), None)
            del transactions[ended if ended is not None else next(iter(transactions))]

    # -- readings

    def _measured(self, event: e.MeasurementsTaken) -> None:
        measurements = together(event.measurements)
        at = _REGISTER[measurements.composition]
        running = None if at < 0 else self._running(event)
        if running is not None:
            self._read(running, self._effective(event.measured_at), round(measurements.values[at]))

    def _running(self, event: e.MeasurementsTaken) -> Running | None:
        if event.transaction_id is not None:
            known = self._state.transactions.get(event.transaction_id)  # a key is a text that storing does not change
            return known or self._state.transactions.get(storable_text(event.transaction_id))
        if event.connector is None:
            return None
        label = event.connector.label
        for each in self._state.transactions.values():
            if each.connector == label and each.ended_at is None:
                return each
        return None

    def _read(self, running: Running, at: datetime, register_wh: int) -> None:
        for when, energy_wh in meter(running, at, register_wh):
            self._out.add(self._fact.charge_point_id, running.connector, when, energy_wh=energy_wh)

    # -- shared

    def _effective(self, at: datetime | None) -> datetime:
        """The device's instant where it is believable, else ours."""
        received = self._fact.received_at
        return at if at is not None and believable(at, received) else received

    def _place(self, label: str, at: datetime) -> PlaceState:
        place = self._state.places.get(label)
        if place is None:
            place = self._state.places[label] = PlaceState(first_at=at)
        elif at < place.first_at:
            place.first_at = at
        return place

    def _span(
        self, label: str, layer: str, began_at: datetime, ended_at: datetime | None, value: str, detail: str, sequence: int
    ) -> None:
        self._out.put(
            Span(
                charge_point_id=self._fact.charge_point_id, connector=label, layer=layer, began_at=began_at, ended_at=ended_at,
                value=value, detail=detail, sequence=sequence,
            )
        )  # fmt: skip


def _error(event: e.StatusReported) -> str:
    if event.error_code == "NoError" and not event.vendor_error_code:
        return ""
    return storable_text(", ".join([each for each in (event.error_code, event.vendor_error_code) if each and each != "NoError"]))


_HANDLERS: dict[type[e.Event], Callable[[Fold, Any], None]] = {
    e.ConnectionOpened: Fold._opened,
    e.ConnectionClosed: Fold._closed,
    e.ChargePointBooted: Fold._booted,
    e.StatusReported: Fold._status,
    e.TransactionStarted: Fold._started,
    e.TransactionUpdated: Fold._updated,
    e.TransactionStopped: Fold._stopped,
    e.MeasurementsTaken: Fold._measured,
}
