"""Facts for telemetry tests: short to write, plain to read. Instants are seconds after DAY."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chargenet.events import Event, Fact, MeasurementsTaken
from chargenet.model.ids import ConnectorRef
from chargenet.model.measurement import ENERGY_REGISTER, Measurement

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant on the day of the test."""
    return DAY + timedelta(seconds=seconds)


def register(wh: float, **labels: str) -> Measurement:
    """A register of the connector's own meter."""
    return Measurement(measurand=ENERGY_REGISTER, value=wh, unit="Wh", **labels)


def measured(
    measurements: Sequence[Measurement], seconds: float | None, *, connector: int | None = 1, transaction_id: str | None = None
) -> MeasurementsTaken:
    """MeterValues of one instant by the device's clock; None where it gave none."""
    return MeasurementsTaken(
        connector=None if connector is None else ConnectorRef(connector),
        transaction_id=transaction_id,
        measured_at=None if seconds is None else at(seconds),
        measurements=tuple(measurements),
    )


def fact(sequence: int, *events: Event, received: float | None = None, charge_point: str = "CP1") -> Fact:
    """Events of one frame, received `received` seconds after DAY (the sequence when not given)."""
    return Fact(
        sequence=sequence,
        received_at=at(sequence if received is None else received),
        charge_point_id=charge_point,
        generation=1,
        protocol="ocpp1.6",
        action="MeterValues",
        events=events,
    )
