"""Facts → columns, as fast as Python can. Decided here: how series are numbered, and what is kept once per event, not per sample.

A charge point repeats the same few compositions of series for ever, so the numbers of all of an event's series are one look-up and
one copy; all that its samples share (clocks, sequence, transaction) is appended once and repeated by numpy later, off the loop.
"""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from chargenet.events import Fact, MeasurementsTaken
from chargenet.model.measurement import Composition, Kind, together
from chargenet.model.record import microseconds
from chargenet.storage.points import SeriesKey, StateRow, cut, ordered_at_us, series_key, state_rows

log = logging.getLogger(__name__)

MAX_SERIES_PER_CHARGE_POINT = 10_000
"""A station that invents more than this many series is not believed: further new ones are counted and left out."""

NOWHERE = -(2**63)
"""Stands for "none" in a column of integers until it becomes NULL."""

Labels = tuple[str, str | None, str, str, str]
"""Measurand, phase, location, context, unit."""

MAX_LISTS = 8
"""Compositions remembered per connector: a charge point has two or three."""


class _Connector:
    """The series of one connector: by their labels, and in the order of each composition that it sends."""

    __slots__ = ("lists", "series")

    def __init__(self) -> None:
        self.series: dict[Labels, int] = {}
        self.lists: dict[Composition, array[int]] = {}


class SeriesNumbers:
    """The number of each series; new ones wait in `unsaved` until they are on disk with the samples that use them.

    Labels are one tuple shared by all connectors, so that a million series cost about 150 bytes each.
    """

    def __init__(self, known: Iterable[tuple[int, SeriesKey]] = ()) -> None:
        self._connectors: dict[str, dict[str, _Connector]] = {}
        self._labels: dict[Labels, Labels] = {}
        self._next = 0
        self.unsaved: list[tuple[int, SeriesKey]] = []
        self.refused = 0
        for number, key in known:
            labels = (key.measurand, key.phase or None, key.location, key.context, key.unit)
            self._connector(key.charge_point, key.connector).series[self._labels.setdefault(labels, labels)] = number
            self._next = max(self._next, number + 1)

    def find(self, charge_point: str, connector: str, composition: Composition) -> array[int] | None:
        """The numbers of a composition's series, in its order; None when it must be learned."""
        connectors = self._connectors.get(charge_point)
        known = None if connectors is None else connectors.get(connector)
        return None if known is None else known.lists.get(composition)

    def learn(self, charge_point: str, connector: str, composition: Composition) -> list[int | None]:
        """The same for series that are new or not; None for those that their charge point has too many of."""
        numbers = [self._number(charge_point, connector, kind) for kind in composition.kinds]
        if composition.shared and None not in numbers:
            lists = self._connector(charge_point, connector).lists
            if len(lists) >= MAX_LISTS:
                lists.clear()
            lists[composition] = array("i", [number for number in numbers if number is not None])
        return numbers

    def _connector(self, charge_point: str, connector: str) -> _Connector:
        connectors = self._connectors.setdefault(charge_point, {})
        known = connectors.get(connector)
        if known is None:
            known = connectors[connector] = _Connector()
        return known

    def _number(self, charge_point: str, connector: str, kind: Kind) -> int | None:
        key = series_key(charge_point, connector, kind)
        labels = (key.measurand, key.phase or None, key.location, key.context, key.unit)
        series = self._connector(charge_point, connector).series
        number = series.get(labels)
        if number is None:
            if sum(len(each.series) for each in self._connectors[charge_point].values()) >= MAX_SERIES_PER_CHARGE_POINT:
                self._refuse(charge_point)
                return None
            number, self._next = self._next, self._next + 1
            series[self._labels.setdefault(labels, labels)] = number
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
        self._states: list[StateRow] = []

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
                self._states += state_rows(fact)

    def _measure(self, fact: Fact, event: MeasurementsTaken, ordinal: int) -> None:
        measurements = together(event.measurements)
        values: Sequence[float] = measurements.values
        connector = event.connector.label if event.connector else ""
        numbers = self._numbers.find(fact.charge_point_id, connector, measurements.composition)
        if numbers is None:
            learned = self._numbers.learn(fact.charge_point_id, connector, measurements.composition)
            values = [value for value, number in zip(values, learned, strict=True) if number is not None]
            numbers = array("i", [number for number in learned if number is not None])
        self._series.extend(numbers)
        self._values.fromlist([*values])
        received_us = microseconds(fact.received_at)
        device_us = None if event.measured_at is None else microseconds(event.measured_at)
        self._sizes.append(len(numbers))
        self._at.append(ordered_at_us(device_us, received_us, ordinal))
        self._measured.append(NOWHERE if device_us is None else device_us)
        self._received.append(received_us)
        self._sequences.append(fact.sequence)
        ids = self._transaction_ids
        self._transactions.append(-1 if event.transaction_id is None else ids.setdefault(event.transaction_id, len(ids)))

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
        columns = zip(*self._states, strict=True)
        return pa.table({name: pa.array(values, kind) for (name, kind), values in zip(_STATES.items(), columns, strict=True)})


_STATES = {
    "at_us": pa.int64(),
    "received_us": pa.int64(),
    **dict.fromkeys(("charge_point", "connector", "kind", "value", "detail"), pa.string()),
    "sequence": pa.int64(),
}


def series_table(rows: Sequence[tuple[int, SeriesKey]]) -> pa.Table:
    """New series, in the order of the `series` table."""
    columns: dict[str, pa.Array] = {"id": pa.array([number for number, _ in rows], pa.int32())}
    for place, name in enumerate(SeriesKey._fields):
        columns[name] = pa.array([key[place] for _, key in rows], pa.string())
    return pa.table(columns)
