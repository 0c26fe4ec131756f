"""Facts → columns, as fast as Python can. Decided here: how series are numbered, and what is kept once per event, not per sample.

A charge point repeats the same few series for ever, so a sample costs one dictionary look-up and two appends; all that the
samples of one event share (clocks, sequence, transaction) is appended once and repeated by numpy later, off the event loop.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import pyarrow as pa

from chargenet.events import Fact, MeasurementsTaken
from chargenet.model.measurement import Measurement
from chargenet.model.record import microseconds
from chargenet.ports import StateChange
from chargenet.storage.points import SeriesKey, cut, ordered_at_us, series_key, state_changes

log = logging.getLogger(__name__)

MAX_SERIES_PER_CHARGE_POINT = 10_000
"""A station that invents more than this many series is not believed: further new ones are counted and left out."""

NOWHERE = -(2**63)
"""Stands for "none" in a column of integers until it becomes NULL."""

Kind = tuple[str, str | None, str, str, str]
"""Measurand, phase, location, context, unit."""


class SeriesNumbers:
    """The number of each series; new ones wait in `unsaved` until they are on disk with the samples that use them.

    A kind is one tuple shared by all connectors, so that a million series cost about 100 bytes each.
    """

    def __init__(self, known: Iterable[tuple[int, SeriesKey]] = ()) -> None:
        self._numbers: dict[str, dict[str, dict[Kind, int]]] = {}
        self._kinds: dict[Kind, Kind] = {}
        self._next = 0
        self.unsaved: list[tuple[int, SeriesKey]] = []
        self.refused = 0
        for number, key in known:
            kind = (key.measurand, key.phase or None, key.location, key.context, key.unit)
            self.of(key.charge_point, key.connector)[self._kinds.setdefault(kind, kind)] = number
            self._next = max(self._next, number + 1)

    def of(self, charge_point: str, connector: str) -> dict[Kind, int]:
        """Kind → number for one connector; filled by `number`."""
        connectors = self._numbers.get(charge_point)
        if connectors is None:
            connectors = self._numbers[charge_point] = {}
        kinds = connectors.get(connector)
        if kinds is None:
            kinds = connectors[connector] = {}
        return kinds

    def number(self, charge_point: str, connector: str, measurement: Measurement) -> int | None:
        """The number of a series, new or not; None when its charge point has too many."""
        key = series_key(charge_point, connector, measurement)
        kind = (key.measurand, key.phase or None, key.location, key.context, key.unit)
        numbers = self.of(charge_point, connector)
        number = numbers.get(kind)
        if number is None:
            if sum(map(len, self._numbers[charge_point].values())) >= MAX_SERIES_PER_CHARGE_POINT:
                self._refuse(charge_point)
                return None
            number, self._next = self._next, self._next + 1
            numbers[self._kinds.setdefault(kind, kind)] = number
            self.unsaved.append((number, key))
        return number

    def _refuse(self, charge_point: str) -> None:
        if not self.refused:
            log.warning(
                "charge point %s has %d series; values of further ones are left out", charge_point, MAX_SERIES_PER_CHARGE_POINT
            )
        self.refused += 1


class Batch:
    """Columns of one transaction. Built on the event loop by `add`, made into Arrow tables on the writer's thread."""

    def __init__(self, numbers: SeriesNumbers, upto: int) -> None:
        self.upto = upto
        self._numbers = numbers
        self._series, self._values = array("i"), array("d")
        self._sizes, self._at, self._measured = array("q"), array("q"), array("q")
        self._received, self._sequences, self._transactions = array("q"), array("q"), array("i")
        self._transaction_ids: dict[str, int] = {}
        self._states: list[StateChange] = []

    def add(self, facts: Sequence[Fact]) -> None:
        """Append the measurements and state changes of `facts`."""
        for fact in facts:
            changed = False
            for ordinal, event in enumerate(fact.events):
                if type(event) is MeasurementsTaken:
                    self._measure(fact, event, ordinal)
                else:
                    changed = True
            if changed:
                self._states.extend(state_changes(fact))

    def _measure(self, fact: Fact, event: MeasurementsTaken, ordinal: int) -> None:
        connector = event.connector.label if event.connector else ""
        found = self._numbers.of(fact.charge_point_id, connector).get
        measurements: Sequence[Measurement] = event.measurements
        numbers = [found((m.measurand, m.phase, m.location, m.context, m.unit)) for m in measurements]
        if None in numbers:
            numbers, measurements = self._number(fact.charge_point_id, connector, measurements)
        self._series.fromlist(cast("list[int]", numbers))
        self._values.fromlist([m.value for m in measurements])
        received_us = microseconds(fact.received_at)
        device_us = None if event.measured_at is None else microseconds(event.measured_at)
        self._sizes.append(len(numbers))
        self._at.append(ordered_at_us(device_us, received_us, ordinal))
        self._measured.append(NOWHERE if device_us is None else device_us)
        self._received.append(received_us)
        self._sequences.append(fact.sequence)
        ids = self._transaction_ids
        self._transactions.append(-1 if event.transaction_id is None else ids.setdefault(event.transaction_id, len(ids)))

    def _number(
        self, charge_point: str, connector: str, measurements: Sequence[Measurement]
    ) -> tuple[list[int | None], list[Measurement]]:
        """The way taken when a series is new: numbers, and the measurements that got one."""
        numbered = [(self._numbers.number(charge_point, connector, m), m) for m in measurements]
        kept = [(number, m) for number, m in numbered if number is not None]
        return [number for number, _ in kept], [m for _, m in kept]

    @property
    def rows(self) -> int:
        """Measurements and state changes in it."""
        return len(self._series) + len(self._states)

    def samples(self) -> pa.Table | None:
        """One row per sample, in the order of the `samples` table; None when there is none."""
        if not self._series:
            return None
        sizes = np.asarray(self._sizes)

        def repeated(column: array[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.repeat(np.asarray(column), sizes)

        measured, transactions = repeated(self._measured), repeated(self._transactions)
        named = pa.DictionaryArray.from_arrays(
            pa.array(transactions, mask=transactions < 0), pa.array([cut(name) for name in self._transaction_ids], pa.string())
        )
        return pa.table(
            {
                "series": np.asarray(self._series),
                "at_us": repeated(self._at),
                "measured_us": pa.array(measured, mask=measured == NOWHERE),
                "received_us": repeated(self._received),
                "value": np.asarray(self._values),
                "transaction_id": named,
                "sequence": repeated(self._sequences),
            }
        )

    def states(self) -> pa.Table | None:
        """One row per state change, in the order of the `states` table; None when there is none."""
        if not self._states:
            return None
        return pa.table(
            {
                "at_us": pa.array([microseconds(state.at) for state in self._states], pa.int64()),
                "received_us": pa.array([microseconds(state.received_at) for state in self._states], pa.int64()),
                **{
                    name: pa.array([getattr(state, name) for state in self._states], pa.string())
                    for name in ("charge_point", "connector", "kind", "value", "detail")
                },
                "sequence": pa.array([state.sequence for state in self._states], pa.int64()),
            }
        )


def series_table(rows: Sequence[tuple[int, SeriesKey]]) -> pa.Table:
    """New series, in the order of the `series` table."""
    columns: dict[str, pa.Array] = {"id": pa.array([number for number, _ in rows], pa.int32())}
    for place, name in enumerate(SeriesKey._fields):
        columns[name] = pa.array([key[place] for _, key in rows], pa.string())
    return pa.table(columns)
