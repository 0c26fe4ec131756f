"""Facts → what telemetry keeps. Decided here: which events are telemetry, by which clock they are ordered, where texts end.

**Which clock.** A value is ordered by the device's own instant where that can be true: not before 2010 and not more than five
minutes ahead of our clock when it arrived. A backlog may be years old and right, so there is no other lower bound. Anywhere else
it is ordered by our clock, one microsecond further for each earlier event of its frame, so that the values of one frame remain
distinct and in order. Both clocks are kept as they were.

**Repeats.** Two values of one series at one instant are one value: the later word counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from chargenet.events import (
    ConnectionClosed,
    ConnectionOpened,
    DiagnosticsStatusReported,
    DiagnosticsUploaded,
    Event,
    Fact,
    FirmwareStatusReported,
    MeasurementsTaken,
    SecurityEventReported,
    StatusReported,
)
from chargenet.model.measurement import Kind, Measurement
from chargenet.model.record import instant, microseconds
from chargenet.ports import StateChange

DEVICE_FLOOR_US = microseconds(datetime(2010, 1, 1, tzinfo=UTC))
"""No charge point that speaks OCPP 1.6 can have measured before this: its clock was never set."""

DEVICE_AHEAD_US = 5 * 60 * 1_000_000
"""A device clock may run this far ahead of ours and is still believed."""

MAX_VALUE_LENGTH = 255
MAX_DETAIL_LENGTH = 1000
"""Longer texts are cut here; the journal keeps the frame as it came."""

MAX_LABEL_LENGTH = 100
"""A measurand, unit, location or context longer than this is cut: it is no word of any vendor."""


class SeriesKey(NamedTuple):
    """What tells one series from another; "" where a charge point gave nothing."""

    charge_point: str
    connector: str
    measurand: str
    phase: str
    location: str
    context: str
    unit: str


class Point(NamedTuple):
    """One measured value with both its clocks. `at_us` is the instant that it is ordered and queried by."""

    series: SeriesKey
    at_us: int
    measured_at_us: int | None
    received_at_us: int
    value: float
    transaction_id: str | None
    sequence: int


def ordered_at_us(device_us: int | None, received_us: int, ordinal: int = 0) -> int:
    """The instant that an event is ordered by; `ordinal` is its place among the events of its frame."""
    if device_us is not None and DEVICE_FLOOR_US <= device_us <= received_us + DEVICE_AHEAD_US:
        return device_us
    return received_us + ordinal


def cut(text: str, length: int = MAX_LABEL_LENGTH) -> str:
    """At most `length` characters, all of which UTF-8 can say (a repaired frame may hold half a surrogate pair)."""
    text = text[:length]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def series_key(charge_point: str, connector: str, measurement: Measurement | Kind) -> SeriesKey:
    """The series of a measurement; labels that no vendor would write are cut."""
    return SeriesKey(
        charge_point,
        connector,
        cut(measurement.measurand),
        cut(measurement.phase or ""),
        cut(measurement.location),
        cut(measurement.context),
        cut(measurement.unit),
    )


def measured_points(fact: Fact) -> Iterator[Point]:
    """Every measurement of a fact, in order."""
    received_us = microseconds(fact.received_at)
    for ordinal, event in enumerate(fact.events):
        if not isinstance(event, MeasurementsTaken):
            continue
        connector = event.connector.label if event.connector else ""
        device_us = None if event.measured_at is None else microseconds(event.measured_at)
        at_us = ordered_at_us(device_us, received_us, ordinal)
        for measurement in event.measurements:
            series = series_key(fact.charge_point_id, connector, measurement)
            yield Point(series, at_us, device_us, received_us, measurement.value, event.transaction_id, fact.sequence)


StateRow = tuple[int, int, str, str, str, str, str, int]
"""A `StateChange`, its instants in microseconds."""


def state_changes(fact: Fact) -> Iterator[StateChange]:
    """Every state change of a fact, in order."""
    for at_us, _, charge_point, connector, kind, value, detail, sequence in state_rows(fact):
        yield StateChange(instant(at_us), fact.received_at, charge_point, connector, kind, value, detail, sequence)


def state_rows(fact: Fact) -> list[StateRow]:
    """The same as rows: a third of the price, for whoever takes in every fact."""
    rows: list[StateRow] = []
    received_us = microseconds(fact.received_at)
    for ordinal, event in enumerate(fact.events):
        tell = _TOLD.get(type(event))
        if tell is None:
            continue
        connector = event.connector.label if type(event) is StatusReported and event.connector else ""
        for kind, value, detail, device_at in tell(event):
            device_us = None if device_at is None else microseconds(device_at)
            at_us = ordered_at_us(device_us, received_us, ordinal)
            value, detail = cut(value, MAX_VALUE_LENGTH), cut(detail, MAX_DETAIL_LENGTH)
            rows.append((at_us, received_us, fact.charge_point_id, connector, kind, value, detail, fact.sequence))
    return rows


_Told = tuple[str, str, str, datetime | None]
"""Kind, value, detail and the device's instant."""


def _status(event: StatusReported) -> Sequence[_Told]:
    said = event.raw_status if event.raw_status != event.status else ""
    detail = "; ".join([part for part in (said, event.info) if part])
    codes = [code for code in (event.error_code, event.vendor_error_code) if code and _means_error(code)]
    if not codes:
        return (("status", event.status, detail, event.reported_at),)
    rest = (*codes[1:], event.vendor_id, event.info)
    error = ("error", codes[0], "; ".join([part for part in rest if part]), event.reported_at)
    return ("status", event.status, detail, event.reported_at), error


def _opened(event: ConnectionOpened) -> Sequence[_Told]:
    return (("connection", "opened", event.remote, None),)


def _closed(event: ConnectionClosed) -> Sequence[_Told]:
    ending = "superseded" if event.superseded else "lost" if event.lost else "closed"
    return (("connection", ending, f"{event.code} {event.reason}".strip(), None),)


def _security(event: SecurityEventReported) -> Sequence[_Told]:
    return (("security", event.type, event.info or "", event.occurred_at),)


def _firmware(event: FirmwareStatusReported) -> Sequence[_Told]:
    return (("diagnostics", event.status, _request("signed firmware" if event.signed else "firmware", event.request_id), None),)


def _diagnostics(event: DiagnosticsStatusReported) -> Sequence[_Told]:
    return (("diagnostics", event.status, _request("log", event.request_id), None),)


def _uploaded(event: DiagnosticsUploaded) -> Sequence[_Told]:
    return (("diagnostics", "file", f"{event.file_id} {event.name} {event.size_bytes} bytes", None),)


_TOLD: dict[type[Event], Callable[[Any], Sequence[_Told]]] = {
    StatusReported: _status,
    ConnectionOpened: _opened,
    ConnectionClosed: _closed,
    SecurityEventReported: _security,
    FirmwareStatusReported: _firmware,
    DiagnosticsStatusReported: _diagnostics,
    DiagnosticsUploaded: _uploaded,
}


def _means_error(code: str) -> bool:
    """False for what vendors write when there is none: NoError, blanks, zeros."""
    return code != "NoError" and code.casefold() != "noerror" and code.strip("0 ") not in ("", "x")


def _request(what: str, request_id: int | None) -> str:
    return what if request_id is None else f"{what}, request {request_id}"
