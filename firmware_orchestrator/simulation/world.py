"""A synthetic fleet and what it says. Decided here: how often charge points have trouble, and the facts that tell of it.

Trouble is of three kinds: a disconnection of an hour, a fault of half an hour, a boot. Each charge point has its own rate (gamma,
with a coefficient of variation), and a history of 28 days drawn from it. Facts are those that a real charge point would cause.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count

import msgspec
import numpy as np

from chargenet.events import ChargePointBooted, ConnectionClosed, ConnectionOpened, Event, Fact, StatusReported
from chargenet.model.ids import ConnectorRef
from firmware_orchestrator.evidence.baseline import History, weights
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.exposure import Member

START = datetime(2026, 1, 1, tzinfo=UTC)
HISTORY_DAYS = 28.0
KINDS = (Signal.OFFLINE, Signal.FAULTS, Signal.BOOTS)
_SHARES = (0.4, 0.3, 0.3)
_VERSION = "1.0"


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """What a fleet is like. Rates are troubles per charge point and day."""

    size: int
    rate: float = 0.02
    now_times: float = 1.0
    """Since the history was taken, everybody's rate is so many times as high."""
    variation: float = 0.0
    """Coefficient of variation of the charge points' rates."""
    site_size: int = 1
    site_outages: float = 0.0
    """Per site and day: everybody there goes offline within a minute, for an hour."""
    incident_day: float | None = None
    """From then on, for twelve hours, everybody's rate is fifteen times as high."""
    breakdowns: float = 0.0
    """Per charge point and day: it breaks, and has trouble every day for five days."""


class World:
    """A fleet with its random numbers. Steps through time; those of `treated` have `worse` times the trouble."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.random = np.random.default_rng(seed)
        self.ids = [f"CP{number:05}" for number in range(fleet.size)]
        self.site = np.arange(fleet.size) // fleet.site_size
        self.rates = self._rates()
        self.day = 0.0
        self._numbers = count(1)
        self._later: list[tuple[float, int, int, Event]] = []
        self._broken_until = np.zeros(fleet.size)

    def _rates(self) -> np.ndarray:
        rate, variation = self.fleet.rate, self.fleet.variation
        if variation <= 0:
            return np.full(self.fleet.size, rate)
        shape = 1 / variation**2
        return self.random.gamma(shape, rate / shape, self.fleet.size)

    def members(self) -> list[Member]:
        """The fleet with its baselines, as the planner would give them."""
        outages = self.fleet.site_outages / self.fleet.site_size  # of one site only one charge point counts
        drawn = [
            self.random.poisson((self.rates * share + (outages if kind is Signal.OFFLINE else 0)) * HISTORY_DAYS)
            for kind, share in zip(KINDS, _SHARES, strict=True)
        ]
        histories = {
            who: History(
                events={
                    **{kind: int(events[number]) for kind, events in zip(KINDS, drawn, strict=True)},
                    Signal.ANY: int(sum(events[number] for events in drawn)),
                },
                days=dict.fromkeys((*KINDS, Signal.ANY), HISTORY_DAYS),
            )
            for number, who in enumerate(self.ids)
        }
        weighed = weights(histories)
        return [
            Member(charge_point_id=who, site_id=f"S{self.site[number]}", model="M", firmware_version=_VERSION, weights=weighed[who])
            for number, who in enumerate(self.ids)
        ]

    def step(self, days: float, treated: np.ndarray, worse: float) -> tuple[list[Fact], np.ndarray]:
        """The facts of the next `days`, and which charge points had trouble of their own or of their site in them."""
        fleet, until = self.fleet, self.day + days
        incident = fleet.incident_day is not None and fleet.incident_day <= self.day < fleet.incident_day + 0.5
        broken = self._break(days)
        rates = self.rates * fleet.now_times * np.where(treated, worse, 1.0) * (15.0 if incident else 1.0) + broken
        troubled = np.zeros(fleet.size, dtype=bool)
        numbers = np.repeat(np.arange(fleet.size), self.random.poisson(rates * days))
        for number in numbers:
            kind = KINDS[1] if broken[number] else KINDS[int(self.random.choice(3, p=_SHARES))]
            self._trouble(int(number), kind, self.day + days * float(self.random.random()))
        troubled[numbers] = True
        self._outages(days, troubled)
        self.day = until
        facts = []
        while self._later and self._later[0][0] < until:
            at, _, who, event = heappop(self._later)
            facts.append(Fact(0, instant(at), self.ids[who], 1, "ocpp1.6", "", (event,)))
        return [msgspec.structs.replace(fact, sequence=next(self._numbers)) for fact in facts], troubled

    def _break(self, days: float) -> np.ndarray:
        if not self.fleet.breakdowns:
            return np.zeros(self.fleet.size)
        breaks = self.random.random(self.fleet.size) < self.fleet.breakdowns * days
        self._broken_until[breaks] = self.day + 5.0
        return np.where(self._broken_until > self.day, 1.0, 0.0)

    def _outages(self, days: float, troubled: np.ndarray) -> None:
        if not self.fleet.site_outages:
            return
        sites = int(self.site[-1]) + 1
        for site in np.flatnonzero(self.random.random(sites) < self.fleet.site_outages * days):
            at = self.day + days * float(self.random.random())
            for number in np.flatnonzero(self.site == site):
                self._trouble(int(number), Signal.OFFLINE, at + float(self.random.random()) / 1440)
                troubled[number] = True

    def _trouble(self, number: int, kind: Signal, at: float) -> None:
        if kind is Signal.OFFLINE:
            self._say(at, number, ConnectionClosed(code=1006, reason="", lost=True))
            self._say(at + 1 / 24, number, ConnectionOpened(remote=""))
        elif kind is Signal.FAULTS:
            self._say(at, number, _status("Faulted", "InternalError"))
            self._say(at + 1 / 48, number, _status("Available", "NoError"))
        else:
            booted = ChargePointBooted(vendor="V", model="M", serial_number=None, firmware_version=None, registration="Accepted")
            self._say(at, number, booted)

    def _say(self, at: float, number: int, event: Event) -> None:
        heappush(self._later, (at, next(self._numbers), number, event))


def instant(day: float) -> datetime:
    """A day of the simulation as an instant."""
    return START + timedelta(days=day)


def _status(status: str, error_code: str) -> StatusReported:
    return StatusReported(connector=ConnectorRef(1), status=status, raw_status=status, error_code=error_code)
