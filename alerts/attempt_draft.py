"""An attempt while it goes on. Decided here: which readings say what the connector could give, and when the car set the pace."""

from __future__ import annotations

from datetime import datetime
from statistics import median

import msgspec

from chargenet.events import MeasurementsTaken
from chargenet.model import measurement as m
from chargenet.model.measurement import Measurement
from chargenet.model.words import ConnectorStatus

HIGH_SOC_PERCENT = 80.0
"""Above it batteries of every maker take less than is offered (constant-voltage phase)."""
MAX_INTERVALS = 64
MAX_SEQUENCES = 20
CHARGING = ConnectorStatus.CHARGING
SUSPENDED = frozenset({ConnectorStatus.SUSPENDED_EV, ConnectorStatus.SUSPENDED_EVSE})


class Draft(msgspec.Struct, kw_only=True):
    """One transaction so far. A plain value: it is stored with the fold."""

    transaction_id: str
    connector: str | None
    began_at: datetime
    began_received_at: datetime
    start_wh: float | None = None
    last_wh: float | None = None
    token: str | None = None
    authorized: bool | None = None
    state: str | None = None
    faulted: bool = False
    suspended_by_car: bool = False
    samples: int = 0
    full_samples: int = 0
    """Samples whose pace the connector set."""
    power_w: float = 0.0
    offered_w: float = 0.0
    offers: int = 0
    temperature_c: float | None = None
    read_at: datetime | None = None
    intervals_s: list[float] = msgspec.field(default_factory=list)
    sequences: list[int] = msgspec.field(default_factory=list)

    def saw(self, sequence: int) -> None:
        """A journal record is part of the evidence: the first ones and the newest are kept."""
        if self.sequences and sequence <= self.sequences[-1]:
            return
        if len(self.sequences) >= MAX_SEQUENCES:
            self.sequences.pop()
        self.sequences.append(sequence)

    def said(self, state: str | None) -> None:
        """A status or charging state of the connector while it goes on."""
        if state is None:
            return
        self.state = state
        self.suspended_by_car = self.suspended_by_car or state == ConnectorStatus.SUSPENDED_EV
        self.faulted = self.faulted or state == ConnectorStatus.FAULTED

    def read(self, event: MeasurementsTaken, at: datetime, ramp_s: float) -> None:
        """One set of readings, taken at `at`; those of the first `ramp_s` are below its pace."""
        self._interval(at)
        values = _values(event.measurements)
        register = values.get(m.ENERGY_REGISTER)
        if register is not None and (self.last_wh is None or register > self.last_wh):
            self.last_wh = register
            if self.start_wh is None:
                self.start_wh = register
        temperature = values.get(m.TEMPERATURE)
        if temperature is not None:
            self.temperature_c = max(temperature, self.temperature_c if self.temperature_c is not None else temperature)
        self._pace(values, (at - self.began_at).total_seconds() >= ramp_s)

    def _pace(self, values: dict[str, float], ramped: bool) -> None:
        power, offered = values.get(m.POWER), values.get(m.POWER_OFFERED)
        if offered is None and m.CURRENT in values and m.CURRENT_OFFERED in values and power:
            current = values[m.CURRENT]
            offered = power * values[m.CURRENT_OFFERED] / current if current > 0 else None
        if power is None or not ramped:
            return
        self.samples += 1
        soc = values.get(m.SOC)
        if self.state in SUSPENDED or (soc is not None and soc >= HIGH_SOC_PERCENT) or offered == 0:
            return
        self.full_samples += 1
        self.power_w += power
        if offered is not None:
            self.offered_w += offered
            self.offers += 1

    def _interval(self, at: datetime) -> None:
        if self.read_at is not None and at > self.read_at and len(self.intervals_s) < MAX_INTERVALS:
            self.intervals_s.append((at - self.read_at).total_seconds())
        if self.read_at is None or at > self.read_at:
            self.read_at = at

    @property
    def energy_wh(self) -> float | None:
        """Newest register minus the first; None while one is unknown."""
        if self.start_wh is None or self.last_wh is None or self.last_wh < self.start_wh:
            return None
        return self.last_wh - self.start_wh

    def late(self) -> tuple[int, int]:
        """Intervals between readings, and how many of them were far from their median. Fewer than four say nothing."""
        if len(self.intervals_s) < 4:
            return 0, 0
        usual = median(self.intervals_s)
        return len(self.intervals_s), sum(not usual / 2 <= each <= usual * 1.5 for each in self.intervals_s)


_USED = frozenset({m.ENERGY_REGISTER, m.POWER, m.POWER_OFFERED, m.CURRENT, m.CURRENT_OFFERED, m.SOC, m.TEMPERATURE})


def _values(measurements: tuple[Measurement, ...]) -> dict[str, float]:
    """Measurand → value at the outlet. Phases add up for power, the largest counts for current, the highest for temperature."""
    found: dict[str, float] = {}
    phases: dict[str, list[float]] = {}
    for each in measurements:
        if each.measurand not in _USED:
            continue
        if each.measurand == m.TEMPERATURE:
            found[m.TEMPERATURE] = max(each.value, found.get(m.TEMPERATURE, each.value))
        elif each.location not in ("Outlet", "EV"):
            continue
        elif each.phase is None:
            found[each.measurand] = each.value
        elif "-" not in each.phase:
            phases.setdefault(each.measurand, []).append(each.value)
    for measurand, values in phases.items():
        together = sum(values) if measurand in (m.POWER, m.POWER_OFFERED, m.ENERGY_REGISTER) else max(values)
        found.setdefault(measurand, together)
    return found
