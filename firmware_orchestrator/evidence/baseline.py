"""How much each charge point is worth as a witness: its own rate of events in the days before. Decided here: how rates of few
events are told from chance.

λ̂ = (a + N) / (b + T) for N events in T days at risk, with a gamma prior whose mean and variance are those of the whole fleet
(empirical Bayes by moments). Where the fleet's differences are no more than chance, everybody weighs the same; where nothing is
known, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from firmware_orchestrator.evidence.signals import RATES, Signal

UNIT = 1_000_000_000
"""Weights are whole numbers of 10⁻⁹ events a day."""
_HALF = 0.5


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What happened at one charge point in the days before a rollout: events of each signal, and days at risk of it."""

    events: dict[Signal, int] = {}
    days: dict[Signal, float] = {}
    safety_codes: tuple[str, ...] = ()
    boot_loops: bool = False


def weights(histories: Mapping[str, History]) -> dict[str, dict[Signal, int]]:
    """Charge point → signal → λ̂ in `UNIT` events a day, at least 1. Raises ValueError for negative events or days."""
    made: dict[str, dict[Signal, int]] = {who: {} for who in histories}
    for signal in RATES:
        seen = [(each.events.get(signal, 0), each.days.get(signal, 0.0)) for each in histories.values()]
        if any(events < 0 or days < 0 for events, days in seen):
            raise ValueError(f"{signal}: a history has negative events or days")
        for who, rate in zip(histories, rates(seen), strict=True):
            made[who][signal] = max(1, round(rate * UNIT))
    return made


def rates(seen: Sequence[tuple[int, float]]) -> list[float]:
    """λ̂ of each of (events, days), in events a day."""
    total_days = sum(days for _, days in seen)
    if total_days <= 0:
        return [1.0] * len(seen)
    mean = (sum(events for events, _ in seen) + _HALF) / total_days
    squares = sum(days * days for _, days in seen)
    spread = sum((events - mean * days) ** 2 - mean * days for events, days in seen) / squares
    if spread <= 0:
        return [mean] * len(seen)
    a, b = mean * mean / spread, mean / spread
    return [(a + events) / (b + days) for events, days in seen]


def daily_rates(histories: Mapping[str, History]) -> dict[Signal, float]:
    """Events of each signal per charge point and day of the whole fleet; a signal without time at risk is left out."""
    made: dict[Signal, float] = {}
    for signal in RATES:
        days = sum(each.days.get(signal, 0.0) for each in histories.values())
        if days > 0:
            made[signal] = sum(each.events.get(signal, 0) for each in histories.values()) / days
    return made
