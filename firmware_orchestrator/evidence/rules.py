"""Hard rules: limits on what must not happen at all. Decided here: which hold, and what excuses them: that the control group sees
as much, so that chance explains it.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, exp, lgamma, log, log1p

import msgspec

from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.state import GateState
from firmware_orchestrator.evidence.wording import named, plural

BY_CHANCE = 0.01
"""Broken is what chance makes of charge points that are all alike less often than this."""


class Broken(msgspec.Struct, frozen=True):
    """A rule that is broken, by which charge points, and the sentence that says so."""

    rule: str
    charge_point_ids: tuple[str, ...]
    sentence: str


def broken(policy: GatePolicy, state: GateState) -> list[Broken]:
    """Every hard rule that is broken by charge points which nobody has accepted yet."""
    return [*_installations(policy, state), *_behaviour(policy, state)]


def _left(state: GateState, rule: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({each for each in ids if f"{rule}:{each}" not in state.accepted}))


def _installations(policy: GatePolicy, state: GateState) -> Iterator[Broken]:
    rules = policy.rules
    lost = _left(state, "lost", state.lost_in_canary)
    if rules.lost_in_canary and len(lost) >= rules.lost_in_canary:
        yield Broken("lost", lost, f"{plural(len(lost), 'charge point')} of the canary did not come back: {named(lost)}")
    unsigned = _left(state, "invalid_signature", state.invalid_signatures)
    if rules.invalid_signatures and len(unsigned) >= rules.invalid_signatures:
        who = plural(len(unsigned), "charge point")
        yield Broken("invalid_signature", unsigned, f"{who} found the image's signature invalid: {named(unsigned)}")


def _behaviour(policy: GatePolicy, state: GateState) -> Iterator[Broken]:
    loops = _left(state, "boot_loops", state.boot_loops)
    if _exceeds(policy.rules.boot_loops, policy, state, len(loops), state.control_loops):
        yield Broken("boot_loops", loops, f"{plural(len(loops), 'charge point')} boot in a loop: {named(loops)}")
    for code in policy.rules.safety_codes:
        ids = _left(state, f"safety_codes:{code}", state.safety_codes.get(code, ()))
        if _exceeds(policy.rules.safety_codes_on, policy, state, len(ids), state.control_codes.get(code, 0)):
            who = plural(len(ids), "charge point")
            yield Broken(f"safety_codes:{code}", ids, f"{code} on {who} that did not report it in the 28 days before: {named(ids)}")


def _exceeds(limit: int, policy: GatePolicy, state: GateState, treated: int, control: int) -> bool:
    """At least the limit, and more of those with the new firmware than chance makes of charge points that are all alike.

    Of treated + control that have it, as many or more would have the new firmware with a binomial's tail (conditional test of two
    Poisson rates, Przyborowski and Wilenski 1940). Without a control group nothing excuses anybody.
    """
    if not limit or treated < max(limit, ceil(policy.rules.later_share * state.treated)):
        return False
    if not state.control:
        return True
    exposed = max(state.treated, treated)
    return _tail(treated, treated + control, exposed / (exposed + state.control)) < BY_CHANCE


def _tail(least: int, total: int, share: float) -> float:
    """P(X ≥ least) for X binomial of `total` with probability `share`, 0 < share < 1."""
    whole, yes, no = lgamma(total + 1), log(share), log1p(-share)
    terms = (
        whole - lgamma(count + 1) - lgamma(total - count + 1) + count * yes + (total - count) * no
        for count in range(least, total + 1)
    )
    return sum(map(exp, terms))
