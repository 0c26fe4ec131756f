"""An attempt while it goes on. Decided here: which readings say what the connector could give, and when the car set the pace."""

from __future__ import annotations

from datetime import datetime
from statistics import median

import msgspec

from alerts.reading import read
from chargenet.events import MeasurementsTaken
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
        read_at = self.read_at
        if read_at is None:
            self.read_at = at
        elif at > read_at:
            if len(self.intervals_s) < MAX_INTERVALS:
                self.intervals_s.append((at - read_at).total_seconds())
            self.read_at = at
        reading = read(event.measurements)
        values = reading.delivered or reading
        register, temperature_c = values.register_wh, reading.temperature_c
        if register is not None and (self.last_wh is None or register > self.last_wh):
            self.last_wh = register
            if self.start_wh is None:
                self.start_wh = register
        if temperature_c is not None and (self.temperature_c is None or temperature_c > self.temperature_c):
            self.temperature_c = temperature_c
        if values.power_w is not None and (at - self.began_at).total_seconds() >= ramp_s:
            self._pace(values.power_w, values.offered_w, values.soc_percent)

    def _pace(self, power_w: float, offered_w: float | None, soc_percent: float | None) -> None:
        self.samples += 1
        if self.state in SUSPENDED or (soc_percent is not None and soc_percent >= HIGH_SOC_PERCENT) or offered_w == 0:
            return
        self.full_samples += 1
        self.power_w += power_w
        if offered_w is not None:
            self.offered_w += offered_w
            self.offers += 1

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
