"""What counts as an event of which signal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chargenet.events import MeasurementsTaken, TransactionStarted
from chargenet.model.measurement import ENERGY_REGISTER, Measurement
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.evidence.symptoms import Row, Said, occurred


@pytest.mark.parametrize(("register", "occurs"), [(5000.6, False), (4995.0, False), (4980.0, True)])
def test_a_register_that_is_rounded_otherwise_does_not_run_backwards(register: float, occurs: bool) -> None:
    """A transaction starts at 5001 Wh by a whole number; the meter's next value is a little less, or really less."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    row, said = Row(charge_point_id="CP-1"), Said(1_000_000, 1, frozenset(), frozenset())
    started = TransactionStarted(transaction_id="7", connector=None, started_at=at, energy_register_wh=5001)
    value = Measurement(measurand=ENERGY_REGISTER, value=register, unit="Wh")
    measured = MeasurementsTaken(connector=None, transaction_id="7", measured_at=at, measurements=(value,))
    assert occurred(row, started, said) == ()
    assert occurred(row, measured, said) == ((Signal.METER_GAPS,) if occurs else ())
