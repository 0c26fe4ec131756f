"""Simulated networks live faster than the clock. Decided here: how an instant of the clock becomes one of the network's life.

The gate thinks in days at risk and minutes of silence. `gate: {network_speed: 60}` in a rollout's file tells it that this network
lives sixty times faster: everything that the gate sees is then in the network's own time, counted from the rollout's start, and so
are its lengths of time. At speed 1, which any real network has, nothing is touched. Pure.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from chargenet.events import Event, Fact, TransactionStarted, TransactionStopped
from firmware_orchestrator.gate import Moment, Verdict


class Tempo(msgspec.Struct, frozen=True):
    """From the clock to the network's life and back. `origin`: where both show the same."""

    origin: datetime
    speed: float = 1.0

    def at(self, instant: datetime) -> datetime:
        """In the network's life."""
        return instant if self.speed == 1 else self.origin + (instant - self.origin) * self.speed

    def clock(self, lived: datetime) -> datetime:
        """The inverse of `at`."""
        return lived if self.speed == 1 else self.origin + (lived - self.origin) / self.speed

    def fact(self, fact: Fact) -> Fact:
        """As it would have been received."""
        if self.speed == 1:
            return fact
        events = tuple(self._event(each) for each in fact.events)
        return msgspec.structs.replace(fact, received_at=self.at(fact.received_at), events=events)

    def _event(self, event: Event) -> Event:
        """How long a transaction lasted is told by the charge point's clock."""
        if isinstance(event, TransactionStarted) and event.started_at is not None:
            return msgspec.structs.replace(event, started_at=self.at(event.started_at))
        if isinstance(event, TransactionStopped) and event.stopped_at is not None:
            return msgspec.structs.replace(event, stopped_at=self.at(event.stopped_at))
        return event

    def moment(self, moment: Moment) -> Moment:
        """Where the rollout stands, as the gate is told."""
        soaking_at = None if moment.soaking_at is None else self.at(moment.soaking_at)
        return msgspec.structs.replace(moment, now=self.at(moment.now), soaking_at=soaking_at)

    def verdict(self, verdict: Verdict) -> Verdict:
        """As people see it: by the clock."""
        return verdict if self.speed == 1 else msgspec.structs.replace(verdict, at=self.clock(verdict.at))
