"""ChargeX key performance indicators. Decided here: what counts as an attempt to start, as delivered power, as a valid end.

After the ChargeX Consortium (INL, doi 10.2172/2377347, implementation guide 10.2172/2513383), for OCPP 2.x as written and for 1.6
by its nearest words. Facts of one charge point in journal order → counts; ratios only at the end, so that counts of many add up.

- start attempt: a transaction, or an accepted authorization that no transaction of its token followed or preceded within 300 s
- power delivery attempt: the first Charging of a transaction (2.x chargingState; 1.6 status Charging, or energy)
- valid stop: a power delivery attempt that ended for one of VALID_STOPS
- charge start success = power delivery attempts / start attempts; charge end success = valid stops / power delivery attempts;
  session success = valid stops / start attempts
- charge start time: from the later of plugging in and authorization, where both are known, to the first Charging
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil

import msgspec

from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.words import ConnectorStatus, TokenStatus

MATCH = timedelta(seconds=300)
"""Between an Authorize and the transaction of its token."""
VALID_STOPS = frozenset(
    {
        "EnergyLimitReached",
        "SOCLimitReached",
        "Local",
        "Remote",
        "StoppedByEV",
        "LocalOutOfCredit",
        "TimeLimitReached",
        "EVDisconnected",
    }
)
MAX_SEEN, MAX_RUNS = 1000, 50
"""Transactions whose repeated start is recognised, and that may run at once, per charge point."""
_START_TIMES = 200
"""Kept per count, evenly thinned: percentiles need no more."""


class KpiCount(msgspec.Struct, kw_only=True):
    """Counts that add up, and start times in seconds."""

    start_attempts: int = 0
    orphans: int = 0
    """Of these: authorizations without a transaction."""
    deliveries: int = 0
    valid_stops: int = 0
    start_times_s: list[float] = []

    @property
    def start_success(self) -> float | None:
        """Power delivery attempts / start attempts."""
        return self.deliveries / self.start_attempts if self.start_attempts else None

    @property
    def end_success(self) -> float | None:
        """Valid stops / power delivery attempts."""
        return self.valid_stops / self.deliveries if self.deliveries else None

    @property
    def session_success(self) -> float | None:
        """Valid stops / start attempts."""
        return self.valid_stops / self.start_attempts if self.start_attempts else None

    def start_time_s(self, share: float) -> float | None:
        """The percentile `share` (0 to 1) of the start times, by nearest rank."""
        if not self.start_times_s:
            return None
        ordered = sorted(self.start_times_s)
        return ordered[max(0, ceil(share * len(ordered)) - 1)]

    def add(self, other: KpiCount) -> None:
        """Counts of another charge point or day on top."""
        self.start_attempts += other.start_attempts
        self.orphans += other.orphans
        self.deliveries += other.deliveries
        self.valid_stops += other.valid_stops
        times = sorted(self.start_times_s + other.start_times_s)
        step = max(1, -(-len(times) // _START_TIMES))
        self.start_times_s = times[step // 2 :: step]


class _Run(msgspec.Struct, kw_only=True):
    """One transaction so far."""

    connector: str | None
    began_at: datetime
    ready_at: datetime | None
    delivered: bool = False
    base_wh: float | None = None


class KpiFold:
    """Facts of one charge point → a KpiCount. Call `finish` at the end of the period."""

    def __init__(self) -> None:
        self.count = KpiCount()
        self._runs: dict[str, _Run] = {}
        self._asked: list[tuple[str, datetime]] = []
        self._plugged: dict[str, datetime] = {}
        self._seen: dict[str, None] = {}

    def apply(self, fact: Fact) -> None:
        """One fact."""
        self._expire(fact.received_at)
        for event in fact.events:
            if isinstance(event, e.TokenPresented):
                if event.token_status == TokenStatus.ACCEPTED:
                    self._asked.append((event.id_token.key, fact.received_at))
            elif isinstance(event, e.StatusReported):
                self._status(event, event.reported_at or fact.received_at)
            elif isinstance(event, e.TransactionStarted):
                self._started(event, event.started_at or fact.received_at)
            elif isinstance(event, e.TransactionUpdated):
                self._updated(event, event.updated_at or fact.received_at)
            elif isinstance(event, e.MeasurementsTaken):
                self._measured(event, event.measured_at or fact.received_at)
            elif isinstance(event, e.TransactionStopped):
                self._stopped(event, event.stopped_at or fact.received_at)

    def finish(self) -> KpiCount:
        """The counts; authorizations that still wait are orphans."""
        self._orphan(len(self._asked))
        return self.count

    def _expire(self, now: datetime) -> None:
        waiting = next((index for index, (_, at) in enumerate(self._asked) if now - at <= MATCH), len(self._asked))
        self._orphan(waiting)

    def _orphan(self, count: int) -> None:
        self.count.start_attempts += count
        self.count.orphans += count
        del self._asked[:count]

    def _status(self, event: e.StatusReported, at: datetime) -> None:
        if event.connector is None:
            return
        label = event.connector.label
        if event.status in (ConnectorStatus.PREPARING, ConnectorStatus.OCCUPIED):
            self._plugged.setdefault(label, at)
        elif event.status == ConnectorStatus.AVAILABLE:
            self._plugged.pop(label, None)
        elif event.status == ConnectorStatus.CHARGING:
            for run in self._runs.values():
                if run.connector == label:
                    self._deliver(run, at)

    def _started(self, event: e.TransactionStarted, at: datetime) -> None:
        if event.transaction_id in self._seen:
            return
        self._seen[event.transaction_id] = None
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        if len(self._runs) > MAX_RUNS:
            del self._runs[next(iter(self._runs))]
        label = None if event.connector is None else event.connector.label
        asked_at = self._claim(event.id_token.key if event.id_token is not None else None)
        accepted = asked_at or (at if event.id_token is not None and event.token_status == TokenStatus.ACCEPTED else None)
        plugged = self._plugged.get(label) if label is not None else None
        known = [each for each in (accepted, plugged) if each is not None]
        self.count.start_attempts += 1
        run = _Run(
            connector=label, began_at=at, ready_at=max(known) if known else None,
            base_wh=None if event.energy_register_wh is None else float(event.energy_register_wh),
        )  # fmt: skip
        self._runs[event.transaction_id] = run
        if event.charging_state == ConnectorStatus.CHARGING:
            self._deliver(run, at)

    def _claim(self, key: str | None) -> datetime | None:
        """Takes the newest waiting authorization of this token: it is this transaction's, not an orphan."""
        for index in range(len(self._asked) - 1, -1, -1):
            if self._asked[index][0] == key:
                return self._asked.pop(index)[1]
        return None

    def _updated(self, event: e.TransactionUpdated, at: datetime) -> None:
        run = self._runs.get(event.transaction_id)
        if run is None:
            return
        if event.id_token is not None:
            asked_at = self._claim(event.id_token.key)
            if asked_at is not None and (run.ready_at is None or asked_at > run.ready_at):
                run.ready_at = asked_at
        if event.charging_state == ConnectorStatus.CHARGING:
            self._deliver(run, at)

    def _measured(self, event: e.MeasurementsTaken, at: datetime) -> None:
        """Energy proves delivery where no state says it."""
        run = self._runs.get(event.transaction_id or "")
        register = next((each.value for each in event.measurements if each.measurand == ENERGY_REGISTER and not each.phase), None)
        if run is None or register is None or run.delivered:
            return
        if run.base_wh is None:
            run.base_wh = register
        elif register > run.base_wh:
            self._deliver(run, None)

    def _deliver(self, run: _Run, at: datetime | None) -> None:
        if run.delivered:
            return
        run.delivered = True
        self.count.deliveries += 1
        if at is not None and run.ready_at is not None and at >= run.ready_at:
            self.count.add(KpiCount(start_times_s=[(at - run.ready_at).total_seconds()]))

    def _stopped(self, event: e.TransactionStopped, at: datetime) -> None:
        run = self._runs.pop(event.transaction_id or "", None)
        if run is None:
            return
        register = event.energy_register_wh
        if not run.delivered and register is not None and run.base_wh is not None and register > run.base_wh:
            self._deliver(run, None)
        reason = event.reason or "Local"  # the default of both versions where none is said (1.6 §6.47, 2.0.1 1.60)
        if run.delivered and reason in VALID_STOPS:
            self.count.valid_stops += 1


def kpis(facts: Sequence[Fact]) -> KpiCount:
    """Counts over facts of any charge points, in journal order."""
    folds: dict[str, KpiFold] = {}
    for fact in facts:
        folds.setdefault(fact.charge_point_id, KpiFold()).apply(fact)
    whole = KpiCount()
    for fold in folds.values():
        whole.add(fold.finish())
    return whole
