"""What a canary can and cannot prove, before anything is sent. Decided here: expected times to a verdict, by formula.

With n charge points against m, λ events per charge point and day and a firmware r times as bad, the logs of the bets drift by
λ·(r·n·l₁ + m·l₀) a day, where l₁ and l₀ are the logs of the likelihood ratios of one event of the new firmware and of the control
group (mixture.py, promotion.py). A verdict comes when they have drifted by log(1/β), or by log(1/(α·w)) and the price of mixing
over many θ (Wald 1945). It is an expectation: the verdict of one rollout may take half or twice as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, log

import msgspec

from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import PARTS, Signal
from firmware_orchestrator.evidence.wording import amount, plural, times_worse

RATIOS = (2.0, 3.0, 5.0, 10.0)
_MIXING_PRICE = 1.2
_WORTH_SAYING = 0.5


class CanaryProof(msgspec.Struct, frozen=True, kw_only=True):
    """Expected days of soak until a verdict; infinite where none is to be expected. `sentences` say the same for a person."""

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
    """What `n` charge points with the new firmware can prove against `control` others.

    `rates`: events per charge point and day as they are now, of each signal or (a number) of all together. With no rate, no canary
    or no control group the days are infinite and the sentence says why. Raises ValueError when a count or a rate is negative.
    """
    rate = sum(rates.get(part, 0.0) for part in PARTS) if isinstance(rates, Mapping) else float(rates)
    if min(n, control) < 0 or not rate >= 0:
        raise ValueError(f"{n} charge points against {control} at {rate} events a day")
    ratios = tuple(sorted({*RATIOS, policy.ruled_out_by(wave)}))
    return CanaryProof(
        canary=n,
        control=control,
        rate=rate,
        rule_out=tuple((ratio, days_to_rule_out(policy, n, control, rate, ratio)) for ratio in ratios),
        detect=tuple((ratio, days_to_detect(policy, n, control, rate, ratio)) for ratio in ratios),
        sentences=_sentences(policy, n, control, rate, policy.ruled_out_by(wave)),
    )


def days_to_rule_out(policy: GatePolicy, n: int, control: int, rate: float, ratio: float) -> float:
    """Days until a firmware that is not worse is proven not to be `ratio` times worse."""
    if not n or not control or ratio <= 1:
        return inf
    per_event = log((ratio * n + control) / (n + control))
    drift = rate * ((n + control) * per_event - n * log(ratio))
    return -log(policy.beta) / drift if drift > 0 else inf


def days_to_detect(policy: GatePolicy, n: int, control: int, rate: float, ratio: float) -> float:
    """Days until a firmware that is `ratio` times worse in every signal is halted by `any` alone; the others make it sooner."""
    share, relative = policy.share(Signal.ANY), ratio / policy.worse_than
    if not n or not control or share <= 0 or relative <= 1:
        return inf
    base = policy.worse_than * n
    per_event = log((base + control) / (ratio * n + control))
    drift = rate * (ratio * n * (log(relative) + per_event) + control * per_event)
    return (_MIXING_PRICE - log(policy.alpha * share)) / drift if drift > 0 else inf


def _sentences(policy: GatePolicy, n: int, control: int, rate: float, ratio: float) -> tuple[str, ...]:
    who = plural(n, "charge point")
    if not n or not control:
        return (f"{who} against {control} in the control group can prove nothing: both groups need some",)
    if rate <= 0:
        return (f"{who} can prove nothing: no trouble is known of this fleet that could become more frequent",)
    now = days_to_rule_out(policy, n, control, rate, ratio)
    sentence = f"{who} can rule out {times_worse(ratio)} in about {_days(now)}"
    saved = now - days_to_rule_out(policy, 2 * n, max(control - n, 1), rate, ratio)
    if saved >= _WORTH_SAYING and control > 2 * n:
        sentence += f"; make it {2 * n} to save {_days(saved)}"
    return (sentence, *_limits(policy, n, control, rate))


def _limits(policy: GatePolicy, n: int, control: int, rate: float) -> tuple[str, ...]:
    """What it halts, and what it will most likely miss while it soaks."""
    soak = policy.max_soak_hours / 24
    days = {ratio: days_to_detect(policy, n, control, rate, ratio) for ratio in RATIOS}
    found = [ratio for ratio in RATIOS if days[ratio] <= soak]
    missed = [ratio for ratio in RATIOS if days[ratio] > soak]
    said = [f"a firmware {times_worse(found[0])} is halted after about {_days(days[found[0]])}"] if found else []
    if missed:
        said.append(f"one {times_worse(missed[-1])} is most likely not found within {_days(soak)} of soak")
    return tuple(said)


def _days(days: float) -> str:
    if not isfinite(days):
        return "no time at all"
    return plural(round(max(days * 24, 1)), "hour") if days < 1 else f"{amount(round(days, 1))} days"
