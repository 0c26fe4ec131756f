"""Facts → what /metrics shows of the fleet. Decided here: which value is *now*, and when a transaction's values end.

In memory: after a restart it starts at the head of the journal, seeded by what the stores know (`FleetMetrics.seed`,
`seed_transaction`). A backlog that a charge point delivers late is not the present, so it does not touch the live values: lateness
is judged against the least lateness seen since its boot, so that a clock that is merely wrong does not blank a connector.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model import measurement as m
from chargenet.model.ids import ConnectorRef
from chargenet.model.words import ConnectorStatus
from chargenet.observe.fleet import FleetMetrics
from chargenet.observe.series import Column
from chargenet.turns import FEW, Turns

LATE_S = 600.0
"""A report this much later than its charge point's usual ones is a backlog."""
_FREE = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.RESERVED})
"""Statuses that no running transaction can have."""
_POWER_BY_PHASE = frozenset((m.POWER, phase, "Outlet") for phase in ("L1", "L2", "L3"))
"""Summed where a charge point gives no total."""
_Plan = tuple[list[tuple[int, Column]], list[int]]
"""(place in the composition, column) of what is shown as it is; places of powers by phase."""


class Session:
    """The transaction at a connector.

    `ended`: stopped; its id is kept, so that readings after the stop are known for what they are. `adopted`: known from its
    readings alone, so its energy is not known. `shown`: False once the connector said that it is free, until a reading comes.
    """

    __slots__ = ("adopted", "ended", "shown", "start_wh", "transaction_id")

    def __init__(self, transaction_id: str, start_wh: float | None, *, adopted: bool = False) -> None:
        self.transaction_id, self.start_wh, self.adopted = transaction_id, start_wh, adopted
        self.ended, self.shown = False, True


class Lateness:
    """Is a report of one charge point live or a backlog? Measured by our clock minus its clock."""

    __slots__ = ("_least_s",)

    def __init__(self) -> None:
        self._least_s: float | None = None

    def is_live(self, said_at: datetime | None, received_at: datetime) -> bool:
        """True when nothing speaks against it."""
        if said_at is None:
            return True
        late_s = (received_at - said_at).total_seconds()
        least_s = self._least_s
        if least_s is None or late_s < least_s:
            self._least_s = least_s = late_s
        return late_s - (least_s if least_s > LATE_S else 0.0) <= LATE_S


class FleetProjection:
    """Feeds `FleetMetrics`. A `chargenet.ports.Projection`."""

    name = "fleet"

    def __init__(self, metrics: FleetMetrics, start: int = 0) -> None:
        self._metrics = metrics
        self._position = start
        self._rows: dict[tuple[str, ConnectorRef], int] = {}
        self._sessions: dict[int, Session] = {}
        self._lateness: dict[str, Lateness] = {}
        self._generations: dict[str, int] = {}
        self._ids: dict[tuple[str, str], int] = {}
        """(charge point, transaction id) → row, of running transactions."""
        self._plans = m.Plans(self._plan)
        self._dispatch: dict[type[e.Event], Callable[[Fact, e.Event, float], None]] = {
            e.MeasurementsTaken: self._measured,  # type: ignore[dict-item]  # each handler takes the event it is keyed by
            e.StatusReported: self._reported,  # type: ignore[dict-item]
            e.TransactionStarted: self._started,  # type: ignore[dict-item]
            e.TransactionUpdated: self._updated,  # type: ignore[dict-item]
            e.TransactionStopped: self._stopped,  # type: ignore[dict-item]
            e.ConnectionOpened: self._opened,
            e.ConnectionClosed: self._closed,  # type: ignore[dict-item]
            e.ChargePointBooted: self._booted,  # type: ignore[dict-item]
            e.SecurityEventReported: self._security_event,
            e.DiagnosticsUploaded: self._uploaded,
        }

    async def position(self) -> int:
        """Sequence of the last fact taken in."""
        return self._position

    async def reset(self) -> None:
        """Forget everything."""
        self._metrics.clear()
        for state in (self._rows, self._sessions, self._lateness, self._generations, self._ids):
            state.clear()
        self._position = 0

    async def apply(self, facts: Sequence[Fact], upto: int) -> None:
        """Take facts in, in order; facts at or before the position change nothing."""
        turns = Turns()
        for start in range(0, len(facts), FEW):
            if start:
                await turns.rest()
            self._take(facts[start : start + FEW])
        self._position = max(self._position, upto)

    def _take(self, facts: Sequence[Fact]) -> None:
        dispatch, position, touch = self._dispatch, self._position, self._metrics.touch
        for fact in facts:
            if fact.sequence <= position:
                continue
            at = fact.received_at.timestamp()
            touch(fact.charge_point_id, at)
            for event in fact.events:
                handle = dispatch.get(type(event))
                if handle is not None:
                    handle(fact, event, at)

    def seed_transaction(self, charge_point_id: str, connector: ConnectorRef, transaction_id: str, start_wh: float | None) -> None:
        """A transaction that ran before the restart."""
        row = self._row(charge_point_id, connector)
        self._sessions[row] = Session(transaction_id, start_wh, adopted=start_wh is None)
        self._ids[charge_point_id, transaction_id] = row
        self._metrics.started(row, 0.0)

    def forget(self, charge_point_id: str) -> None:
        """The charge point was removed."""
        for key in [key for key in self._rows if key[0] == charge_point_id]:
            session = self._sessions.pop(self._rows.pop(key), None)
            if session is not None:
                self._ids.pop((charge_point_id, session.transaction_id), None)
        self._lateness.pop(charge_point_id, None)
        self._generations.pop(charge_point_id, None)
        self._metrics.forget(charge_point_id)

    def _row(self, charge_point_id: str, connector: ConnectorRef) -> int:
        key = (charge_point_id, connector)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = self._metrics.row(charge_point_id, connector.label)
        return row

    def _is_live(self, fact: Fact, said_at: datetime | None) -> bool:
        lateness = self._lateness.get(fact.charge_point_id)
        if lateness is None:
            lateness = self._lateness[fact.charge_point_id] = Lateness()
        return lateness.is_live(said_at, fact.received_at)

    # -- measurements: the hot path

    def _measured(self, fact: Fact, event: e.MeasurementsTaken, at: float) -> None:
        if event.connector is None:
            return
        row = self._row(fact.charge_point_id, event.connector)
        metrics = self._metrics
        metrics.last_seen.values[row] = at
        if not self._is_live(fact, event.measured_at) or not self._belongs(fact, row, event.transaction_id, at):
            return
        measurements = m.together(event.measurements)
        values = measurements.values
        columns, phases = self._plans[measurements.composition]
        for at_index, column in columns:
            column.values[row] = values[at_index]
            column.touched[row] = at
        if phases and metrics.power.touched[row] != at:
            metrics.power.put(row, sum([values[at_index] for at_index in phases]), at)
        if metrics.energy.touched[row] == at:
            self._count_energy(row, metrics.energy.values[row], at)

    def _plan(self, composition: m.Composition) -> _Plan:
        """Where the values of a composition are shown: decided once, not per message."""
        columns: list[tuple[int, Column]] = []
        phases: list[int] = []
        for index, kind in enumerate(composition.kinds):
            column = self._column(kind)
            if column is not None:
                columns.append((index, column))
            elif (kind.measurand, kind.phase, kind.location) in _POWER_BY_PHASE:
                phases.append(index)
        return columns, phases

    def _column(self, kind: m.Kind) -> Column | None:
        """Where a measured value is shown: electric values at the outlet, temperatures anywhere, the vehicle's state of charge."""
        measurand, location = kind.measurand, kind.location
        if location != "Outlet" and measurand not in (m.SOC, m.TEMPERATURE):
            return None
        return self._metrics.column(measurand, location if measurand == m.TEMPERATURE else kind.phase or "")

    def _count_energy(self, row: int, register_wh: float, at: float) -> None:
        session = self._sessions.get(row)
        if session is None or session.ended:
            return
        if session.start_wh is None and not session.adopted:
            session.start_wh = register_wh
        if session.start_wh is not None and register_wh >= session.start_wh:
            self._metrics.session_energy.put(row, register_wh - session.start_wh, at)
        else:
            self._metrics.session_energy.drop(row)

    def _belongs(self, fact: Fact, row: int, transaction_id: str | None, at: float) -> bool:
        """False for readings of a transaction that is over, or of another one than runs here."""
        if transaction_id is None:
            return True
        session = self._sessions.get(row)
        if session is None or (session.ended and session.transaction_id != transaction_id):
            self._begin(fact, row, Session(transaction_id, None, adopted=True), at)
            return True
        if session.ended or session.transaction_id != transaction_id:
            return False
        if not session.shown:
            session.shown = True
            self._metrics.started(row, at)
        return True

    # -- transactions

    def _begin(self, fact: Fact, row: int, session: Session, at: float) -> None:
        before = self._sessions.get(row)
        if before is not None and before.transaction_id != session.transaction_id:
            self._ids.pop((fact.charge_point_id, before.transaction_id), None)
            self._metrics.ended(row)
        self._sessions[row] = session
        self._ids[fact.charge_point_id, session.transaction_id] = row
        self._metrics.started(row, at)

    def _started(self, fact: Fact, event: e.TransactionStarted, at: float) -> None:
        if event.connector is None:
            return
        row = self._row(fact.charge_point_id, event.connector)
        self._metrics.last_seen.values[row] = at
        self._begin(fact, row, Session(event.transaction_id, event.energy_register_wh), at)
        self._register(fact, row, event.energy_register_wh, event.started_at, at)

    def _updated(self, fact: Fact, event: e.TransactionUpdated, at: float) -> None:
        row = self._ids.get((fact.charge_point_id, event.transaction_id))
        if row is None and event.connector is not None:
            row = self._row(fact.charge_point_id, event.connector)
        if row is not None and self._belongs(fact, row, event.transaction_id, at):
            self._metrics.last_seen.values[row] = at
            self._register(fact, row, event.energy_register_wh, event.updated_at, at)

    def _stopped(self, fact: Fact, event: e.TransactionStopped, at: float) -> None:
        row = self._ids.pop((fact.charge_point_id, event.transaction_id or ""), None)
        if row is None:
            return
        self._register(fact, row, event.energy_register_wh, event.stopped_at, at)
        self._metrics.last_seen.values[row] = at
        self._sessions[row].ended = True
        self._metrics.ended(row)

    def _register(self, fact: Fact, row: int, register_wh: float | None, said_at: datetime | None, at: float) -> None:
        if register_wh is not None and self._is_live(fact, said_at):
            self._metrics.energy.put(row, register_wh, at)
            self._count_energy(row, register_wh, at)

    # -- everything else

    def _reported(self, fact: Fact, event: e.StatusReported, at: float) -> None:
        self._is_live(fact, event.reported_at)
        if event.connector is None:
            return
        row = self._row(fact.charge_point_id, event.connector)
        self._metrics.last_seen.values[row] = at
        self._metrics.reported(
            fact.charge_point_id, event.connector.label, event.status, at, event.error_code, event.vendor_error_code
        )
        session = self._sessions.get(row)
        if session is not None and session.shown and not session.ended and event.status in _FREE:
            session.shown = False
            self._metrics.ended(row)

    def _opened(self, fact: Fact, event: e.Event, at: float) -> None:
        self._generations[fact.charge_point_id] = fact.generation
        self._metrics.opened(fact.charge_point_id, fact.protocol, at)

    def _closed(self, fact: Fact, event: e.ConnectionClosed, at: float) -> None:
        if not event.superseded and fact.generation >= self._generations.get(fact.charge_point_id, 0):
            self._metrics.closed(fact.charge_point_id, at)

    def _booted(self, fact: Fact, event: e.ChargePointBooted, at: float) -> None:
        self._lateness.pop(fact.charge_point_id, None)
        self._metrics.booted(fact.charge_point_id, event.vendor or "", event.model or "", event.firmware_version or "", at)

    def _security_event(self, fact: Fact, event: e.Event, at: float) -> None:
        self._metrics.security_events.count(self._metrics.point(fact.charge_point_id).row, at)

    def _uploaded(self, fact: Fact, event: e.Event, at: float) -> None:
        self._metrics.uploads.count(self._metrics.point(fact.charge_point_id).row, at)
