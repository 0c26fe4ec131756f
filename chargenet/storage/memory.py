"""Telemetry in memory: the fake that ships with the port. Decided here: nothing that the port does not say."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import numpy as np

from chargenet.events import Fact
from chargenet.model.measurement import ENERGY_REGISTER
from chargenet.model.record import instant, microseconds
from chargenet.ports import ConnectorHour, EnergyHour, Sample, SeriesSamples, StateChange, TelemetryQuery
from chargenet.storage.energy import hourly_energy
from chargenet.storage.points import Point, SeriesKey, measured_points, state_changes
from chargenet.storage.ranges import bounded, checked, step_us

AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.fmean,
    "min": min,
    "max": max,
    "first": lambda values: values[0],
    "last": lambda values: values[-1],
    "sum": sum,
    "count": lambda values: float(len(values)),
}


class MemoryTelemetry:
    """Implements `chargenet.ports.Telemetry`; everything is lost with the process."""

    def __init__(self, name: str = "telemetry-memory") -> None:
        self.name = name
        self._points: dict[tuple[SeriesKey, int], Point] = {}
        self._states: list[StateChange] = []
        self.hours: dict[tuple[str, str, datetime], ConnectorHour] = {}
        """What `write_hours` was given."""
        self._upto = self.written = self.rejected = self.expired = 0

    async def write(self, facts: Sequence[Fact], upto: int) -> None:
        """Facts that were written before are skipped by their sequence."""
        for fact in facts:
            if fact.sequence > self._upto:
                points, states = list(measured_points(fact)), list(state_changes(fact))
                self._points.update(((point.series, point.at_us), point) for point in points)
                self._states.extend(states)
                self.written += len(points) + len(states)
        self._upto = max(self._upto, upto)

    async def write_hours(self, hours: Sequence[ConnectorHour]) -> None:
        """Implements `chargenet.ports.HourSink`."""
        self.hours |= {(each.charge_point, each.connector, each.hour): each for each in hours}

    async def position(self) -> int:
        return self._upto

    async def reset(self) -> None:
        self._points.clear()
        self._states.clear()
        self.hours.clear()
        self._upto = 0

    async def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        checked(query)
        chosen = [point for point in self._between(query.start, query.end) if _matches(point.series, query)]
        step = step_us(query)
        rows = _raw(chosen) if step is None else _steps(chosen, step, AGGREGATES[query.aggregate])
        return grouped(sorted(rows, key=lambda row: (row[1].measured_at, row[0]))[: bounded(query.limit)])

    async def states(
        self, charge_point: str, start: datetime, end: datetime, *, kind: str | None = None, limit: int = 1000
    ) -> list[StateChange]:
        chosen = [
            state
            for state in self._states
            if state.charge_point == charge_point and start <= state.at < end and kind in (None, state.kind)
        ]
        return sorted(chosen, key=lambda state: (state.at, state.sequence))[: bounded(limit)]

    async def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str] = ()) -> list[EnergyHour]:
        registers = [point for point in self._points.values() if _is_register(point.series, charge_points)]
        connectors = sorted({(point.series.charge_point, point.series.connector) for point in registers})
        key_of = {connector: key for key, connector in enumerate(connectors)}
        hours = hourly_energy(
            np.array([key_of[point.series.charge_point, point.series.connector] for point in registers], np.int64),
            np.array([point.at_us for point in registers], np.int64),
            np.array([point.value for point in registers], np.float64),
            np.array([point.sequence for point in registers], np.int64),
            microseconds(start),
            microseconds(end),
        )
        return [
            EnergyHour(connectors[key][0], connectors[key][1], instant(hour_us), energy_wh)
            for key, hour_us, energy_wh in zip(hours.keys.tolist(), hours.hours_us.tolist(), hours.energy_wh.tolist(), strict=True)
        ]

    async def close(self) -> None:
        """Nothing to let go."""

    def _between(self, start: datetime, end: datetime) -> list[Point]:
        start_us, end_us = microseconds(start), microseconds(end)
        return [point for point in self._points.values() if start_us <= point.at_us < end_us]


def _matches(series: SeriesKey, query: TelemetryQuery) -> bool:
    return (
        (not query.charge_points or series.charge_point in query.charge_points)
        and query.connector in (None, series.connector)
        and query.measurand in (None, series.measurand)
    )


def _is_register(series: SeriesKey, charge_points: Sequence[str]) -> bool:
    return (
        series.measurand == ENERGY_REGISTER
        and series.unit == "Wh"
        and series.location == "Outlet"
        and not series.phase
        and bool(series.connector)
        and (not charge_points or series.charge_point in charge_points)
    )


def _raw(points: Iterable[Point]) -> list[tuple[SeriesKey, Sample]]:
    return [(point.series, Sample(instant(point.at_us), point.value, point.sequence)) for point in points]


def _steps(points: list[Point], step: int, aggregate: Callable[[list[float]], float]) -> list[tuple[SeriesKey, Sample]]:
    cells: dict[tuple[SeriesKey, int], list[float]] = {}
    for point in sorted(points, key=lambda point: point.at_us):
        cells.setdefault((point.series, point.at_us // step * step), []).append(point.value)
    return [(series, Sample(instant(at_us), aggregate(values))) for (series, at_us), values in cells.items()]


def grouped(rows: Iterable[tuple[SeriesKey, Sample]]) -> list[SeriesSamples]:
    """Rows in time order → one entry per series, ordered by its labels."""
    series: dict[SeriesKey, list[Sample]] = {}
    for key, sample in rows:
        series.setdefault(key, []).append(sample)
    return [SeriesSamples(key._asdict(), samples) for key, samples in sorted(series.items())]
