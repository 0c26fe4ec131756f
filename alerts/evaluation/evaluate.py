"""One evaluation from sessions to figures. Decided here: the order of the steps, and what a report holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from alerts.detectors.statistics.settings import DEFAULTS, StatisticsSettings
from alerts.evaluation.fit import BUDGETS, MONTH_S, fit, months, parts, span
from alerts.evaluation.hard_run import HardRow, RuleAlarms, hard_rows, rule_alarms
from alerts.evaluation.plan import PER_CELL, Plan, make
from alerts.evaluation.run import Runner
from alerts.evaluation.score import AlarmRow, FaultRow, alarm_rows, fault_rows, outcomes
from alerts.evaluation.sessions import Session

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done."""


class Aside(msgspec.Struct, frozen=True, kw_only=True):
    """What the already-sick rule set aside."""

    connectors: dict[str, int]
    """Why → connectors that never count."""
    spans: int
    """Sick stretches of the other connectors."""
    sick_months: float
    healthy_months: tuple[float, float]
    """Connector-months that count: in the part to fit on, and in the part to report."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of one evaluation."""

    seed: int
    sessions: int
    connectors: int
    aside: Aside
    fitted: StatisticsSettings
    faults: list[FaultRow]
    hard: list[HardRow]
    rules: RuleAlarms
    alarms: list[AlarmRow]

    @property
    def missed(self) -> list[str]:
        """Targets that are not reached, each in a few words."""
        soft = [f"{row.fault}, {row.severity}" for row in self.faults if row.missed]
        false = [f"false alarms: {row.who}" for row in self.alarms if row.per_month.value > BUDGETS.get(row.who, float("inf"))]
        return [*soft, *(row.fault for row in self.hard if row.missed), *false]


def evaluate(sessions: Sequence[Session], seed: int, progress: Progress = lambda _, __: None, per_cell: int = PER_CELL) -> Report:
    """Minutes of CPU. The same sessions and seed give the same report. Raises ValueError without any healthy connector."""
    plan = make(sessions, seed, per_cell)
    if not plan.events:
        raise ValueError("no connector is healthy and busy for long enough to put a fault into it")
    hard = hard_rows(plan, lambda share: progress("hard faults", share), 2 * per_cell)
    rules = rule_alarms(plan, lambda share: progress("healthy time", share))
    looks = Runner(plan, DEFAULTS).run(lambda share: progress("soft faults", share)).looks()
    second = Runner(plan, DEFAULTS, energy_only=True)
    looks |= second.run(lambda share: progress("charge points that report no power", share)).looks()
    fitted, limits = fit(plan, looks)
    made = outcomes(plan, looks, limits)
    alarms = alarm_rows(plan, looks, limits)
    false = {row.who: row.episodes for row in alarms}
    return Report(
        seed=seed,
        sessions=len(sessions),
        connectors=len(plan.connectors),
        aside=set_aside(plan),
        fitted=fitted,
        faults=fault_rows(plan, made, false),
        hard=hard,
        rules=rules,
        alarms=alarms,
    )


def set_aside(plan: Plan) -> Aside:
    """What the already-sick rule took out."""
    report = parts(plan)
    sick = 0.0
    for part in report:
        for connector in (plan.connectors[at] for at in part.connectors):
            start, end = span(connector, part)
            if connector.health.always is None and end > start:
                sick += end - start - connector.health.healthy_s(start, end)
    return Aside(
        connectors=dict(Counter(each.health.always for each in plan.connectors if each.health.always is not None)),
        spans=sum(len(each.health.spans) for each in plan.connectors if each.health.always is None),
        sick_months=sick / MONTH_S,
        healthy_months=(months(plan, report[0]), months(plan, report[1])),
    )
