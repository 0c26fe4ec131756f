"""What was found, by whom and how soon. Decided here: what counts as found, as a false alarm, and as a target reached.

A fault is found when a finding of a right kind is made while it lasts; nothing is credited for later looks (no point adjustment),
and nothing before it began counts. A false alarm is an episode in a healthy time of a healthy connector
(alerts/evaluation/fit.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log

import msgspec
import numpy as np

from alerts.evaluation.faults import FAULTS, Fault
from alerts.evaluation.fit import MONTH_S, SHARES, TICKET_BUDGET, Looks, Part, false_alarms, parts, span
from alerts.evaluation.intervals import Interval, rate, share
from alerts.evaluation.methods import BASELINES, OURS, TESTS, Alarm, alarms
from alerts.evaluation.plan import DAY_S, STRATA, Event, Plan
from alerts.evaluation.run import events_of
from alerts.kinds import KINDS
from chargenet.model.notice import Severity

SILENCE_P = SHARES["silent"] * TICKET_BUDGET
"""Chance silences that the silence test may raise per connector-month: what p of its target comes from."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A share of faults to be found by `due`; only events whose recording goes on until then count."""

    text: str
    share: float
    due: Callable[[Event], float | None]
    """UTC seconds, None where the recording ends before."""


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in one severity, in the part of the recording that was not fitted on."""

    fault: str
    severity: str
    events: int
    recall: Interval | None
    """Found with a right kind while it lasts."""
    precision: float | None
    """Of all findings of its kinds, on faults and on healthy connectors: how many were right."""
    hours: float | None
    """Median time to detect."""
    opportunities: float | None
    """The same in opportunities."""
    unit: str
    first_right: float | None
    """Share of found faults whose first finding had a right kind."""
    by_traffic: dict[str, float]
    """Recall by attempts a day."""
    baselines: dict[str, float]
    """Share with any finding while it lasts, per baseline."""
    target: str | None = None
    goal: float | None = None
    counted: int = 0
    reached: Interval | None = None

    @property
    def missed(self) -> bool:
        """Whether it has a target and misses it."""
        return self.goal is not None and (self.reached is None or self.reached.value < self.goal)


class AlarmRow(msgspec.Struct, frozen=True, kw_only=True):
    """False alarms of one method, or of one kind of ours, per healthy connector-month."""

    who: str
    severity: str
    episodes: int
    per_month: Interval


class Outcome(msgspec.Struct, frozen=True):
    """What each method said about one event."""

    event: Event
    alarms: Mapping[str, Sequence[Alarm]]

    @property
    def found_at(self) -> float | None:
        """When a right kind was found by us."""
        return next((alarm.at for alarm in self.alarms[OURS] if alarm.kind in self.event.fault.right), None)


def outcomes(plan: Plan, looks: Looks, limits: Mapping[str, float]) -> list[Outcome]:
    """All events, with what every method said while they lasted."""
    return [
        Outcome(
            event,
            {
                method: alarms(method, event.fault.energy_only, looks, limits, subject, event.began, event.ended, plan.seed)
                for method in (OURS, *BASELINES)
            },
        )
        for subject, event in events_of(plan)
    ]


def fault_rows(plan: Plan, made: Sequence[Outcome], false: Mapping[str, int]) -> list[FaultRow]:
    """One row per fault and severity. false: kind → false alarms in the healthy time."""
    rows = []
    for fault in FAULTS:
        precision = _precision(fault, made, false)
        for severity, _ in fault.severities:
            here = [each for each in made if each.event.fault.name == fault.name and each.event.severity == severity]
            rows.append(_row(fault, severity, here, precision, plan.seed))
    return rows


def _row(fault: Fault, severity: str, here: Sequence[Outcome], precision: float | None, seed: int) -> FaultRow:
    found = [(each, each.found_at) for each in here]
    hours = [(at - each.event.began) / 3600.0 for each, at in found if at is not None]
    waited = [sum(end <= at for end in each.event.eligible) for each, at in found if at is not None]
    spoken = [each for each in here if each.alarms[OURS]]
    target = TARGETS.get((fault.name, severity))
    due = [] if target is None else [(each, at, target.due(each.event)) for each, at in found]
    reached = [(each.event.connector, at is not None and at <= by) for each, at, by in due if by is not None]
    return FaultRow(
        fault=fault.name,
        severity=severity,
        events=len(here),
        recall=share([(each.event.connector, at is not None) for each, at in found], seed),
        precision=precision,
        hours=float(np.median(hours)) if hours else None,
        opportunities=float(np.median(waited)) if waited else None,
        unit=fault.opportunities,
        first_right=_mean([each.alarms[OURS][0].kind in fault.right for each in spoken]),
        by_traffic={
            name: _mean([at is not None for each, at in found if each.event.stratum == name]) or 0.0
            for name, _, _ in STRATA
            if any(each.event.stratum == name for each in here)
        },
        baselines={name: _mean([bool(each.alarms[name]) for each in here]) or 0.0 for name in BASELINES},
        target=None if target is None else target.text,
        goal=None if target is None else target.share,
        counted=len(reached),
        reached=share(reached, seed),
    )


def _precision(fault: Fault, made: Sequence[Outcome], false: Mapping[str, int]) -> float | None:
    """Right: faults that have such a finding and are rightly named by one. Wrong: such findings on others, and false alarms."""
    said = [each for each in made if any(alarm.kind in fault.right for alarm in each.alarms[OURS])]
    right = sum(each.found_at is not None for each in said)
    wrong = len(said) - right + sum(false.get(kind, 0) for kind in fault.right)
    return right / (right + wrong) if right + wrong else None


def _mean(values: Sequence[bool]) -> float | None:
    return float(np.mean(values)) if values else None


def alarm_rows(plan: Plan, looks: Looks, limits: Mapping[str, float]) -> list[AlarmRow]:
    """False alarms in the part that was not fitted on: of each kind of ours, of all tickets, of pages, and of each baseline."""
    _, part = parts(plan)
    rows = [
        _alarm_row(plan, part, test.kind, KINDS[test.kind].severity, looks, {test.levels: limits[test.limit]})
        for test in TESTS[OURS, False]
    ]
    unreported = "power_derated, energy only"
    rows.append(_alarm_row(plan, part, unreported, Severity.WARNING, looks, {unreported: limits[unreported]}))
    tickets = {test.levels: limits[test.limit] for test in TESTS[OURS, False] if KINDS[test.kind].severity != Severity.INFO}
    rows.append(_alarm_row(plan, part, "all tickets", Severity.WARNING, looks, tickets))
    page = "zero_energy page"
    rows.append(_alarm_row(plan, part, "all pages", Severity.CRITICAL, looks, {page: min(limits[page], limits["zero_energy"])}))
    for name in BASELINES[:2]:
        tests = {test.levels: limits[test.limit] for test in TESTS[name, False]}
        rows.append(_alarm_row(plan, part, name, Severity.WARNING, looks, tests))
    return rows


def _alarm_row(plan: Plan, part: Part, who: str, severity: str, looks: Looks, tests: Mapping[str, float]) -> AlarmRow:
    counts: list[tuple[int, float]] = []
    for connector in part.connectors:
        episodes = sum(
            len(false_alarms(plan, part, looks.get(name, {}).get(connector), connector, limit)) for name, limit in tests.items()
        )
        known = plan.connectors[connector]
        counts.append((episodes, known.health.healthy_s(*span(known, part)) / MONTH_S))
    counted = [each for each in counts if each[1] > 0]
    return AlarmRow(who=who, severity=severity, episodes=sum(each[0] for each in counted), per_month=rate(counted, plan.seed))


def _within(opportunities: int) -> Callable[[Event], float | None]:
    def due(event: Event) -> float | None:
        return event.eligible[opportunities - 1] if len(event.eligible) >= opportunities else None

    return due


def _silence_due(event: Event) -> float | None:
    """p: the chance that one gap is raised falsely, at the silence test's share of the budget."""
    a_month = event.rate * MONTH_S / DAY_S
    by = event.began + 1.3 * log(a_month / SILENCE_P) / event.rate * DAY_S
    return by if by <= event.ended else None


TARGETS: Mapping[tuple[str, str], Target] = {
    ("zero energy", "all"): Target(text="within 4 failed attempts", share=0.98, due=_within(4)),
    ("intermittent", "half"): Target(text="within 12 attempts", share=0.85, due=_within(12)),
    ("derated, power known", "to half"): Target(text="within 8 eligible sessions", share=0.90, due=_within(8)),
    ("silent", "all"): Target(text="within 1.3 × ln(1/p)/rate", share=0.90, due=_silence_due),
}
"""(fault, severity) → what is aimed at."""
