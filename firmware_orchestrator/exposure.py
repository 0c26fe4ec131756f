"""Facts of the charge points of one rollout → events and time at risk of each signal, with masks. Pure: time comes with the facts.

Decided here: who is at risk of what and when, and which group an event belongs to. What an event *is* stands in
evidence/symptoms.py; what follows from counts in evidence/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from chargenet.events import Fact
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal
from firmware_orchestrator.evidence.state import Observed


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One charge point of the rollout as it was when the rollout began. `weights`: its own events per day of each signal (10⁻⁹)."""

    charge_point_id: str
    site_id: str | None = None
    model: str | None = None
    firmware_version: str | None = None
    connected: bool = True
    weights: dict[Signal, int] = {}


class MarkKind(StrEnum):
    """What the rollout did to a charge point."""

    DISPATCHED = "dispatched"
    """Sent; until it is verified and has settled, it is in neither group."""
    VERIFIED = "verified"
    """Booted with the expected version."""
    ENDED = "ended"
    """Its installation ended otherwise; `code` says how. It is in neither group from then on."""
    RETURNED = "returned"
    """It was not installed after all and nothing happened to it: it is in the control group again."""
    EXCLUDED = "excluded"
    """It is in neither group from then on."""
    MAINTENANCE = "maintenance"
    """A person works on it until `until`: masked."""


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One such step, at an instant not before those that were already told."""

    charge_point_id: str
    at: datetime
    kind: MarkKind
    wave: int = 0
    code: str = ""
    """Of ENDED: failed, reverted, mismatch, timed_out, lost, rejected or invalid_signature."""
    until: datetime | None = None


class Exposure:
    """The fold. Not thread-safe; about a microsecond for a fact of a charge point that is not in the rollout."""

    def __init__(self, policy: GatePolicy, members: Iterable[Member], at: datetime) -> None:
        raise NotImplementedError

    @classmethod
    def decode(cls, policy: GatePolicy, stored: bytes) -> Exposure:
        """The inverse of `encode`: goes on exactly where that was."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """All that it remembers. Store it with the GateState that has folded what `observed` gave."""
        raise NotImplementedError

    def mark(self, mark: Mark) -> None:
        """A step of the rollout."""
        raise NotImplementedError

    def apply(self, facts: Iterable[Fact]) -> None:
        """Facts in the order of the journal; those at or below `sequence` are ignored."""
        raise NotImplementedError

    def advance(self, upto: datetime) -> None:
        """Time has passed, and every fact received before `upto` has been applied: what was due by then has happened."""
        raise NotImplementedError

    def observed(self) -> Observed:
        """What happened since this was last called; give it to `gate.fold`."""
        raise NotImplementedError

    @property
    def sequence(self) -> int:
        """The last fact in it."""
        raise NotImplementedError


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at one charge point in the days before a rollout: events and days at risk."""

    days: float
    events: Mapping[Signal, int] = {}
