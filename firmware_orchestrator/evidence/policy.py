"""What a rollout demands of its evidence: the `gate:` section of its file. Decided here: defaults, and what makes no sense."""

from __future__ import annotations

from typing import Annotated

import msgspec

from firmware_orchestrator.evidence.signals import TABLE, Signal

Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Ratio = Annotated[float, msgspec.Meta(gt=1, le=100)]
Hours = Annotated[float, msgspec.Meta(ge=0, le=8760)]
Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
SAFETY_CODES = ("GroundFailure", "OverCurrentFailure", "OverVoltage", "HighTemperature", "ConnectorLockFailure")


class HardRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits without statistics. 0 switches a rule off."""

    lost_in_canary: Count = 1
    boot_loops: Count = 2
    """Charge points with the new firmware that booted unplanned three times within an hour (not in their 28 days before)."""
    safety_codes_on: Count = 2
    """Charge points that report a safety code which they did not report in their 28 days before."""
    safety_codes: tuple[str, ...] = SAFETY_CODES
    invalid_signatures: Count = 1
    later_share: Share = 0.01
    """Once more charge points have it, `boot_loops` and `safety_codes_on` are at least this share of them."""


class GatePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a rollout halts and when a wave has passed."""

    alpha: Share = 0.05
    """Chance that a firmware which is not worse is halted by evidence, for the whole rollout. It halts at E ≥ 1/alpha."""
    beta: Share = 0.10
    """Chance that a wave passes although the firmware is `rule_out` times worse."""
    worse_than: Annotated[float, msgspec.Meta(ge=1, le=100)] = 1.0
    """Up to so many times the events of the control group are not worse."""
    rule_out: Annotated[tuple[Ratio, ...], msgspec.Meta(min_length=1, max_length=10)] = (5.0, 3.0, 2.0)
    """How many times worse must be ruled out before the canary passes, the next wave, …; the last stands for the rest."""
    min_soak_hours: Hours = 24.0
    max_soak_hours: Hours = 336.0
    """After so long a wave without proof waits for a person."""
    good_sessions: Count = 3
    """Sessions that delivered energy, per model, before a wave passes; 0: none."""
    stale_minutes: Annotated[float, msgspec.Meta(gt=0, le=10_080)] = 10.0
    """Evidence older than this is no evidence."""
    settle_minutes: Annotated[float, msgspec.Meta(ge=0, le=10_080)] = 30.0
    """Masked after a charge point came back with the new version."""
    install_failures: Share = 0.05
    """Share of installations that may fail."""
    losses: Share = 0.002
    """Share of charge points that an installation may lose."""
    weights: dict[Signal, Annotated[float, msgspec.Meta(ge=0, le=1)]] = {}
    """Share of the bet per signal where it is not the table's; they are scaled to 1."""
    observe_only: tuple[Signal, ...] = ()
    """Measured and reported, but cannot stop anything."""
    ignored_codes: tuple[str, ...] = ()
    """Error codes and 2.x device variables that are no fault, whatever their vendor says."""
    rules: HardRules = HardRules()
    network_speed: Annotated[float, msgspec.Meta(ge=1, le=1000)] = 1.0
    """How many times faster than the clock this network lives. For simulated ones; see tempo.py."""

    def __post_init__(self) -> None:
        if self.max_soak_hours < self.min_soak_hours:
            raise ValueError("max_soak_hours is less than min_soak_hours")
        if any(ratio <= self.worse_than for ratio in self.rule_out):
            raise ValueError("rule_out must be above worse_than")
        if not any(self.share(signal) for signal in TABLE):
            raise ValueError("every signal is only observed: nothing could stop this rollout")

    def ruled_out_by(self, wave: int) -> float:
        """How many times worse the evidence must rule out before `wave` has passed."""
        return self.rule_out[min(max(wave, 0), len(self.rule_out) - 1)]

    def share(self, signal: Signal) -> float:
        """The part of the bet on `signal`; all add up to 1. 0 for one that is only observed."""
        return self.shares()[signal]

    def shares(self) -> dict[Signal, float]:
        """All of them."""
        weights = {signal: self._weight(signal) for signal in TABLE}
        total = sum(weights.values())
        return {signal: weight / total if total > 0 else 0.0 for signal, weight in weights.items()}

    def _weight(self, signal: Signal) -> float:
        return 0.0 if signal in self.observe_only else self.weights.get(signal, TABLE[signal].weight)
