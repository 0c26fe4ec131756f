"""One driver's try at a connector. Decided here: what is one, whether it failed, and why. Not here: how many failures are too many.

An attempt is a transaction, or a driver with an accepted token at a plugged-in connector where none began. Pure: facts of one
charge point in journal order → finished attempts; the state is a plain value that can be stored and taken up again.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

NO_ENERGY_WH = 100
"""A transaction that gave no more than this gave nothing (0.1 kWh, the KPI calculators' bound for a charge)."""
LITTLE_ENERGY_WH = 500
"""Nobody plugs in for less: 0.5 kWh is three kilometres. 97 % of ended charges on public AC and DC connectors give more."""


class AttemptLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt is measured by. Simulated networks that live faster have smaller batteries and less patient drivers."""

    no_energy_wh: float = NO_ENERGY_WH
    little_energy_wh: float = LITTLE_ENERGY_WH
    ramp_s: float = 120.0
    """The first readings of a charge are below its pace."""
    shortest_wait_s: float = 30.0
    """Who unplugs sooner did not wait for the transaction to begin."""

    def faster(self, speed: float) -> AttemptLimits:
        """For a network that lives `speed` times faster than a real one."""
        return AttemptLimits(**{name: value / speed for name, value in msgspec.structs.asdict(self).items()})


LIMITS = AttemptLimits()


class Failure:
    """Why an attempt failed, in the order in which a reason wins."""

    REJECTED = "rejected"
    """The token was not accepted: nobody's fault at the connector, no opinion about it."""
    NOT_STARTED = "not_started"
    """Plugged in with an accepted token, and no transaction began."""
    FAULT = "fault"
    """The connector reported a fault, or the transaction ended for a technical reason."""
    NO_ENERGY = "no_energy"
    LITTLE_ENERGY = "little_energy"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A finished attempt. Instants are UTC; energy Wh, power W, durations s. Never holds an ID token, only its hash."""

    charge_point_id: str
    connector: str
    """A ConnectorRef label."""
    began_at: datetime
    ended_at: datetime
    transaction_id: str | None = None
    token: str | None = None
    """`IdToken.hashed`; None where nobody was named."""
    authorized: bool | None = None
    started: bool = True
    """A transaction began."""
    energy_wh: float | None = None
    power_w: float | None = None
    """Mean delivered while the connector, not the car, set the pace."""
    offered_w: float | None = None
    """Mean offered over the same samples; None where the charge point does not say."""
    car_limited: bool = False
    """The car set the pace all the time (SuspendedEV, or a high state of charge): its power says nothing about the connector."""
    temperature_c: float | None = None
    """The highest that was reported."""
    intervals: int = 0
    """Intervals between its readings."""
    late_intervals: int = 0
    """How many of them were more than half as long again as their median, or less than half of it."""
    clean: bool = True
    """It ended for a reason of the driver, the car or the operator."""
    end_reason: str | None = None
    failure: str | None = None
    """A Failure; None: it served its driver."""
    sequences: tuple[int, ...] = ()
    """Journal records that show it, oldest first."""

    @property
    def duration_s(self) -> float:
        """Seconds from begin to end."""
        return max(0.0, (self.ended_at - self.began_at).total_seconds())

    @property
    def judged(self) -> bool:
        """Whether it says anything about the connector: rejected tokens and unknown energies do not."""
        return self.failure != Failure.REJECTED and (self.failure is not None or self.energy_wh is not None)


def failure_of(
    *, authorized: bool | None, started: bool, faulted: bool, energy_wh: float | None, limits: AttemptLimits = LIMITS
) -> str | None:
    """Why an attempt failed, or None. A fault after a real charge is no failed attempt: the driver got energy."""
    if authorized is False:
        return Failure.REJECTED
    if not started:
        return Failure.FAULT if faulted else Failure.NOT_STARTED
    if faulted and (energy_wh is None or energy_wh <= limits.little_energy_wh):
        return Failure.FAULT
    if energy_wh is None or energy_wh > limits.little_energy_wh:
        return None
    return Failure.NO_ENERGY if energy_wh <= limits.no_energy_wh else Failure.LITTLE_ENERGY
