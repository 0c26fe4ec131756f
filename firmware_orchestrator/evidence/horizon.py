"""What a canary can and cannot prove, before anything is sent. Decided here: expected times to a verdict, by formula.

With n charge points against m, λ events per charge point and day and a firmware r times as bad, the logs of the bets drift by
λ·(r·n·log π₁ + m·log π₀) a day, π the likelihood ratios of one event (mixture.py, promotion.py); a verdict comes when they have
drifted by log(1/β), or by log(1/α) and the price of mixing over many θ. The field calls this Wald's approximation.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import Signal

MIXING_PRICE = 1.2
RATIOS = (2.0, 3.0, 5.0, 10.0)


class CanaryProof(msgspec.Struct, frozen=True, kw_only=True):
    """Expected days. `sentences` say the same for a person."""

    canary: int
    control: int
    rate: float
    """Events of any signal per charge point and day."""
    rule_out: tuple[tuple[float, float], ...]
    """(how many times worse, days until that is ruled out when the firmware is fine)."""
    detect: tuple[tuple[float, float], ...]
    """(how many times worse, days until that halts the rollout)."""
    sentences: tuple[str, ...]


def what_the_canary_can_prove(
    policy: GatePolicy, n: int, rates: float | Mapping[Signal, float], *, control: int = 200, wave: int = 0
) -> CanaryProof:
    """What `n` charge points with the new firmware can prove against `control` others. `rates`: events per charge point and day, of
    each signal or of all together; 0 or nothing known gives infinite days, and the sentence says so."""
    raise NotImplementedError
