"""What the statistical tests know of the network. Decided here: what is remembered of a fact; the tests only read.

Bounded: a fixed row per connector, a few numbers per charge point, twelve weeks of hours per site. It is stored in pieces, one per
charge point and per site and one for the network (alerts/detectors/statistics/pieces.py).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from alerts.attempt_fold import AttemptFold
from alerts.attempts import LIMITS, Attempt, AttemptLimits
from alerts.detectors.statistics.activity import Activity
from alerts.detectors.statistics.heartbeats import Heartbeats
from alerts.detectors.statistics.place import ChargePointPlace, Codes
from alerts.detectors.statistics.table import Table
from alerts.detectors.statistics.weather import Weather
from chargenet.events import ChargePointBooted, ConnectionClosed, ConnectionOpened, Event, Fact, StatusReported
from chargenet.model.words import ConnectorStatus

Key = tuple[str, str]
"""Charge point id and ConnectorRef label."""
_OBSERVED = frozenset({ChargePointBooted, StatusReported, ConnectionOpened, ConnectionClosed})
_WAITING = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.UNKNOWN})


class History:
    """Attempts, status and peers of every connector. Not for use by two threads at once: `judge` a copy, or between facts."""

    def __init__(self, limits: AttemptLimits = LIMITS) -> None:
        self.limits = limits
        self.table = Table()
        self.activity = Activity()
        self.weather = Weather()
        self.heartbeats = Heartbeats()
        self.codes = Codes()
        self.row_of: dict[Key, int] = {}
        self.changed: set[str] = set()
        """Charge points that changed since their pieces were last taken."""
        self.places: dict[str, ChargePointPlace] = {}
        self.folds: dict[str, AttemptFold] = {}
        self.connectors_of: dict[str, list[str]] = {}

    def observe(self, fact: Fact) -> list[Attempt]:
        """Remember a fact; the attempts that it finished. Facts of a charge point come in journal order, the same one only once."""
        name = fact.charge_point_id
        fold = self.folds.get(name)
        if fold is None:
            fold = self.folds[name] = AttemptFold(name, limits=self.limits)
        finished = fold.apply(fact)
        for attempt in finished:
            self.add(attempt)
        for event in fact.events:
            if type(event) in _OBSERVED:  # most are readings, and nearly every fact passes here
                self._observe(event, fact, fold)
        self.changed.add(name)
        return finished

    def _observe(self, event: Event, fact: Fact, fold: AttemptFold) -> None:
        if isinstance(event, ChargePointBooted):
            self.describe(fact.charge_point_id, event.vendor, event.model)
        elif isinstance(event, StatusReported) and event.connector is not None:
            waiting = event.status in _WAITING and not fold.busy(event.connector.label)
            self._hold((fact.charge_point_id, event.connector.label), not waiting, fact.received_at)
        elif isinstance(event, ConnectionOpened | ConnectionClosed) and not getattr(event, "superseded", False):
            self._connected(fact.charge_point_id, isinstance(event, ConnectionOpened), fact.received_at)

    def add(self, attempt: Attempt, *, peer: bool = True) -> bool:
        """Remember a finished attempt. False: it was known, or is too old to judge. `peer` False: it is no measure for others."""
        key = (attempt.charge_point_id, attempt.connector)
        row = self.row(key)
        new = self.table.add(row, attempt)
        if new and peer:
            began = attempt.began_at.timestamp()
            self.activity.add(self.codes.site_row(row), began)
            if attempt.temperature_c is not None:
                self.weather.add(int(self.codes.model[row]), began, attempt.temperature_c)
        self.changed.add(attempt.charge_point_id)
        return new

    def row(self, key: Key) -> int:
        """The row of a connector, made on first sight."""
        row = self.row_of.get(key)
        if row is None:
            row = self.row_of[key] = self.table.add_row()
            self.connectors_of.setdefault(key[0], []).append(key[1])
            self.codes.add_row(row, key[0], key[1], self.places.get(key[0], ChargePointPlace()), self.activity)
        return row

    def fork(self, key: Key, name: Key) -> None:
        """A connector `name` that knows what `key` knows and is no peer to anyone: what would be found if it went on otherwise?"""
        row = self.row(key)
        made = self.row_of[name] = self.table.copy_row(row)
        self.places[name[0]] = self.places.get(key[0], ChargePointPlace())
        self.codes.copy_row(row, made)

    def drop_fork(self, name: Key) -> None:
        """Forget a fork; its row stays unused until the end of this history."""
        self.row_of.pop(name, None)
        self.places.pop(name[0], None)

    def heartbeat(self, charge_point_id: str, at: datetime) -> None:
        """A heartbeat came at `at` by our clock. Heartbeats are not in the journal: what is not told here is not known."""
        self.heartbeats.beat(charge_point_id, at)
        self.changed.add(charge_point_id)

    def describe(self, charge_point_id: str, vendor: str | None, model: str | None) -> None:
        """What it says it is: connectors are compared with those of the same vendor and model."""
        known = self.places.get(charge_point_id, ChargePointPlace())
        self._move(charge_point_id, msgspec.structs.replace(known, vendor=vendor or "", model=model or ""))

    def place(self, charge_point_id: str, site_id: str | None) -> None:
        """Where it stands: connectors share their week, and their weather, with those of the same site."""
        known = self.places.get(charge_point_id, ChargePointPlace())
        self._move(charge_point_id, msgspec.structs.replace(known, site_id=site_id))

    def forget(self, charge_point_id: str) -> None:
        """A charge point is gone for good."""
        for label in self.connectors_of.pop(charge_point_id, []):
            row = self.row_of.pop((charge_point_id, label))
            self.table.clear_row(row)
            self.codes.peer[row] = False
        for known in (self.places, self.folds, self.heartbeats.pulses):
            known.pop(charge_point_id, None)
        self.changed.add(charge_point_id)

    def _move(self, charge_point_id: str, place: ChargePointPlace) -> None:
        if self.places.get(charge_point_id) == place:
            return
        self.places[charge_point_id] = place
        self.changed.add(charge_point_id)
        for label in self.connectors_of.get(charge_point_id, ()):
            self.codes.move(self.row_of[charge_point_id, label], label, place, self.activity)

    def _hold(self, key: Key, held: bool, at: datetime) -> None:
        row = self.row(key)
        if held is False and (self.codes.held[row] or self.codes.waiting_since[row] != self.codes.waiting_since[row]):
            self.codes.waiting_since[row] = at.timestamp()
        self.codes.held[row] = held

    def _connected(self, charge_point_id: str, connected: bool, at: datetime) -> None:
        """Without a connection nobody can tell whether anybody came; the time until then does not count as silence."""
        if connected:
            self.heartbeats.restart(charge_point_id)
        for label in self.connectors_of.get(charge_point_id, ()):
            self._hold((charge_point_id, label), not connected, at)
