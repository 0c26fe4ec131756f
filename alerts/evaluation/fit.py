"""Limits from recordings. Decided here: each test's share of the false-alarm budget, and the strictest limit that one needs for it.

A false alarm is an episode: levels at or below the limit in a healthy time, with QUIET_S before the next one counts anew (a case
stays one case). The limit of a test is the largest on a grid of three steps a decade at which it makes no more episodes per healthy
connector-month of the fitting part than its share of the budget; and never more than its cap, since a few hundred connector-months
cannot show that a looser one is safe, and what is overlaid (alerts/evaluation/overlay.py) is better behaved than real connectors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np

from alerts.detectors.statistics.settings import StatisticsSettings
from alerts.detectors.statistics.table import Array
from alerts.evaluation.plan import DAY_S, WARM_UP_S, Connector, Plan
from alerts.evaluation.run import Look

MONTH_S = 365.25 / 12 * DAY_S
QUIET_S = 14 * DAY_S
TICKET_BUDGET, PAGE_BUDGET = 0.02, 0.002
BUDGETS: Mapping[str, float] = {"all tickets": TICKET_BUDGET, "all pages": PAGE_BUDGET}
SHARES: Mapping[str, float] = {
    "zero_energy": 0.1,
    "failing_attempts": 0.15,
    "silent": 0.4,
    "power_derated": 0.1,
    "temperature_above_siblings": 0.05,
    "unusual": 0.05,
}
"""Shares of the ticket budget. They add up to 0.85: what is fitted on few months runs over on others."""
INFO = ("irregular_meter_values",)
"""Nobody waits for these; they get a tenth of the ticket budget."""
CAPS: Mapping[str, float] = {
    "zero_energy": 0.05,
    "failing_attempts": 0.05,
    "silent": 0.02,
    "power_derated": 0.002,
    "temperature_above_siblings": 0.001,
    "irregular_meter_values": 0.02,
    "zero_energy page": 0.002,
}
"""The loosest limits. Where pace, temperature or readings are made up, by chance alone the share of the budget."""
FIXED_SHARES: Mapping[str, float] = {
    "fixed: zero_energy": 0.2,
    "fixed: failing_attempts": 0.2,
    "fixed: silent": 0.2,
    "fixed: power_derated": 0.15,
}
_GRID = np.array([float(f"{step}e{power}") for power in range(-2, -13, -1) for step in (5, 2, 1)] + [0.0])
_FIELDS = {
    "zero_energy": "no_energy_limit",
    "zero_energy page": "no_energy_page_limit",
    "failing_attempts": "failing_limit",
    "silent": "silence_limit",
    "power_derated": "power_limit",
    "power_derated, energy only": "power_unreported_limit",
    "temperature_above_siblings": "temperature_limit",
    "irregular_meter_values": "intervals_limit",
}
FOREST_MARGIN = 0.02
"""Isolation scores are no probabilities, and their tail moves with every forest: only what is further out is told."""
Looks = Mapping[str, Mapping[int, Look]]


class Part(msgspec.Struct, frozen=True):
    """Connectors and a stretch of time in which false alarms are counted."""

    connectors: tuple[int, ...]
    start: float
    end: float


def parts(plan: Plan) -> tuple[Part, Part]:
    """The part to fit on, and the part to report."""
    fit = tuple(at for at, each in enumerate(plan.connectors) if each.fit)
    rest = tuple(at for at, each in enumerate(plan.connectors) if not each.fit)
    return Part(fit, plan.start, plan.cut), Part(rest, plan.cut, plan.end)


def span(connector: Connector, part: Part) -> tuple[float, float]:
    """From when to when its false alarms count."""
    first, last = connector.sessions[0][1].began, connector.sessions[-1][1].ended
    return max(part.start, first + WARM_UP_S), min(part.end, last)


def months(plan: Plan, part: Part) -> float:
    """Healthy connector-months of a part."""
    return sum(each.health.healthy_s(*span(each, part)) for each in (plan.connectors[at] for at in part.connectors)) / MONTH_S


def false_alarms(plan: Plan, part: Part, look: Look | None, connector: int, limit: float) -> list[float]:
    """When false alarms of one test began at one connector."""
    if look is None:
        return []
    known = plan.connectors[connector]
    start, end = span(known, part)
    inside = (look.at >= start) & (look.at < end) & (look.level <= limit)
    alarms = [at for at in look.at[inside].tolist() if known.health.healthy(at, at + 1.0)]
    return episodes(alarms)


def episodes(alarms: Iterable[float]) -> list[float]:
    """The first alarm of each episode."""
    made: list[float] = []
    last = -np.inf
    for at in alarms:
        if at - last > QUIET_S:
            made.append(at)
        last = at
    return made


def limit_for(plan: Plan, part: Part, looks: Mapping[int, Look], rate: float, grid: Array = _GRID) -> float:
    """The largest limit of the grid that keeps to `rate` false alarms per connector-month."""
    allowed = round(rate * months(plan, part))
    for limit in grid:
        count = 0
        for connector in part.connectors:
            count += len(false_alarms(plan, part, looks.get(connector), connector, float(limit)))
        if count <= allowed:
            return float(limit)
    return 0.0


def fit(plan: Plan, looks: Looks) -> tuple[StatisticsSettings, dict[str, float]]:
    """Settings with all limits fitted, and limit per test (baselines included)."""
    part, _ = parts(plan)
    limits = {
        test: limit_for(plan, part, looks.get(test, {}), share * TICKET_BUDGET)
        for test, share in SHARES.items()
        if test != "unusual"
    }
    energy_only = looks.get("power_derated, energy only", {})
    limits["power_derated, energy only"] = limit_for(plan, part, energy_only, SHARES["power_derated"] * TICKET_BUDGET)
    limits |= {test: limit_for(plan, part, looks.get(test, {}), 0.1 * TICKET_BUDGET) for test in INFO}
    limits["zero_energy page"] = limit_for(plan, part, looks.get("zero_energy page", {}), 0.5 * PAGE_BUDGET)
    limits |= {test: min(limits[test], cap) for test, cap in CAPS.items()}
    linear = np.arange(0.6, 0.0, -0.005)
    unusual = looks.get("unusual", {})
    limits["unusual"] = limit_for(plan, part, unusual, SHARES["unusual"] * TICKET_BUDGET, linear) - FOREST_MARGIN
    limits["forest alone"] = limit_for(plan, part, unusual, 0.75 * TICKET_BUDGET, linear)
    fixed = np.concatenate([1.0 / np.arange(1.0, 91.0), [0.0]])
    for test, share in FIXED_SHARES.items():
        grid = np.arange(0.9, 0.0, -0.02) if test == "fixed: power_derated" else fixed
        limits[test] = limit_for(plan, part, looks.get(test, {}), share * TICKET_BUDGET, grid)
    weak = looks.get("fixed: power_derated, energy only", {})
    limits["fixed: power_derated, energy only"] = limit_for(plan, part, weak, 0.15 * TICKET_BUDGET, np.arange(0.9, 0.0, -0.02))
    fields = {field: limits[test] for test, field in _FIELDS.items()}
    return StatisticsSettings(**fields, forest_limit=round(1.0 - limits["unusual"], 3)), limits
