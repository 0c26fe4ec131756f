"""Reading telemetry from InfluxDB by InfluxQL. Decided here: paging, and how rows become samples, states and energy. All blocks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from chargenet.errors import StoreUnavailable
from chargenet.model.record import instant, microseconds
from chargenet.ports import EnergyHour, Sample, SeriesSamples, StateChange, TelemetryQuery
from chargenet.storage import influxql
from chargenet.storage.energy import hourly_energy
from chargenet.storage.influxql import PAGE, REGISTER_FIELD, Row
from chargenet.storage.lineprotocol import METER_TAGS, field_meaning, tag_value
from chargenet.storage.points import SeriesKey
from chargenet.storage.ranges import bounded, enough

log = logging.getLogger(__name__)

MAX_PAGES = 1000
"""Ten million points; a question that needs more must be asked for a shorter range."""


class InfluxReader:
    """Questions over `ask`, which takes InfluxQL and gives the decoded answer."""

    def __init__(self, ask: Callable[[str], Mapping[str, Any]]) -> None:
        self._ask = ask

    def query(self, query: TelemetryQuery) -> list[SeriesSamples]:
        """Samples per series, series ordered by their labels."""
        fields = influxql.measurand_fields(self._rows(influxql.FIELD_KEYS), query.measurand)
        if not fields:
            return []
        limit = bounded(query.limit)
        rows = self._raw(query, fields, limit) if query.step_s is None else self._rows(influxql.steps(query, fields))
        # Two points differ in their `site` alone where a charge point was moved between a write and its repetition: one counts.
        found = {(sample.measured_at, key): sample for row in rows for key, sample in _samples(row, fields)}
        series: dict[SeriesKey, list[Sample]] = {}
        for measured_at, key in sorted(found)[:limit]:
            series.setdefault(key, []).append(found[measured_at, key])
        return [SeriesSamples(key._asdict(), group) for key, group in sorted(series.items())]

    def states(self, charge_point: str, start: datetime, end: datetime, kind: str | None, limit: int) -> list[StateChange]:
        """State changes in time order."""
        rows = self._rows(influxql.states(charge_point, start, end, kind, limit))
        start_us, end_us = microseconds(start), microseconds(end)
        inside = [row for row in rows if start_us <= row["at_us"] < end_us]
        inside.sort(key=lambda row: (row["at_us"], row["sequence"], row["time"]))
        return [_state(row, charge_point) for row in inside[: bounded(limit)]]

    def hourly_energy(self, start: datetime, end: datetime, charge_points: Sequence[str]) -> list[EnergyHour]:
        """Energy per connector and hour, in that order."""
        rows = self._rows(influxql.register_before(charge_points, start)) + self._rows(influxql.register_after(charge_points, end))
        rows += [
            row
            for row in self._pages(lambda at_ns, offset: influxql.registers(charge_points, at_ns, end, offset), influxql.ns(start))
            if row[REGISTER_FIELD] is not None
        ]
        names = [(tag_value(row["charge_point"]), tag_value(row["connector"])) for row in rows]
        connectors = sorted(set(names))
        key_of = {name: key for key, name in enumerate(connectors)}
        hours = hourly_energy(
            np.array([key_of[name] for name in names], np.int64),
            np.array([row["time"] // 1000 for row in rows], np.int64),
            np.array([row[REGISTER_FIELD] for row in rows], np.float64),
            np.array([row["sequence"] or 0 for row in rows], np.int64),
            microseconds(start),
            microseconds(end),
        )
        enough(len(hours.keys))
        columns = zip(hours.keys.tolist(), hours.hours_us.tolist(), hours.energy_wh.tolist(), strict=True)
        return [EnergyHour(connectors[key][0], connectors[key][1], instant(at_us), wh) for key, at_us, wh in columns]

    def drop(self, measurement: str) -> None:
        """Delete a measurement; one that is not there is dropped already."""
        try:
            self._rows(f"DROP MEASUREMENT {influxql.identifier(measurement)}")
        except StoreUnavailable as error:
            if "measurement not found" not in str(error):
                raise

    def _raw(self, query: TelemetryQuery, fields: Sequence[str], limit: int) -> list[Row]:
        """Pages until there are enough values: a point may hold many, or none of those that are asked for."""
        rows: list[Row] = []
        found = 0
        for row in self._pages(lambda at_ns, offset: influxql.raw_samples(query, fields, at_ns, offset), influxql.ns(query.start)):
            values = sum(row[name] is not None for name in fields)
            if found >= limit and row["time"] > rows[-1]["time"]:
                break
            if values:
                rows.append(row)
                found += values
        return rows

    def _pages(self, question: Callable[[int, int], str], start_ns: int) -> Iterator[Row]:
        """All points in time order; each page begins at the last instant of the one before it, after the points already seen."""
        at_ns, seen = start_ns, 0
        for _ in range(MAX_PAGES):
            page = self._rows(question(at_ns, seen))
            yield from page
            if len(page) < PAGE:
                return
            last_ns = page[-1]["time"]
            at_last = sum(row["time"] == last_ns for row in page)
            at_ns, seen = last_ns, at_last + (seen if last_ns == at_ns else 0)
        raise StoreUnavailable("InfluxDB", f"the question covers more than {MAX_PAGES * PAGE} points: ask for a shorter range")

    def _rows(self, question: str) -> list[Row]:
        try:
            return list(influxql.rows(self._ask(question)))
        except ValueError as error:
            raise StoreUnavailable("InfluxDB", str(error)) from error


def _samples(row: Row, fields: Sequence[str]) -> Iterator[tuple[SeriesKey, Sample]]:
    charge_point, connector, phase, location, context = (tag_value(row[tag]) for tag in METER_TAGS)
    for name in fields:
        meaning, value = field_meaning(name), row[name]
        if meaning is not None and value is not None:
            measurand, unit = meaning
            key = SeriesKey(charge_point, connector, measurand, phase, location, context, unit)
            yield key, Sample(instant(row["time"] // 1000), float(value), row.get("sequence") or 0)


def _state(row: Row, charge_point: str) -> StateChange:
    return StateChange(
        at=instant(row["at_us"]),
        received_at=instant(row["received_at_us"]),
        charge_point=charge_point,
        connector=tag_value(row["connector"]),
        kind=row["measurement"],
        value=row["value"],
        detail=row["detail"],
        sequence=row["sequence"],
    )
