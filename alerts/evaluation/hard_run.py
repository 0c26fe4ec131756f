"""Hard faults, judged by the rules that ship. Decided here: where they are put, when the rules look, and what is counted.

Each fault is put at sessions of healthy connectors in the part of the recording that is reported, over all rates of traffic. The
charge point tells its sessions of two days before, then the fault; its other connectors go on. The rules look after every report
and every five minutes. False alarms: sixty days of all charge points as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain

import msgspec
import numpy as np

from alerts.detectors.rules import Heard, judge
from alerts.evaluation.faults import Numbered
from alerts.evaluation.fit import MONTH_S, QUIET_S
from alerts.evaluation.hard_faults import HARD_FAULTS, SETTINGS, HardFault, Scene
from alerts.evaluation.intervals import Interval, rate, share
from alerts.evaluation.plan import DAY_S, STRATA, Connector, Plan
from alerts.evaluation.story import FIRST_REGISTER_WH, Told, behind, day_to_day, facts, opened
from alerts.finding import Finding
from alerts.kinds import KINDS
from alerts.signals.network import NetworkSignals
from chargenet.events import Fact
from chargenet.model.notice import Severity

GOAL = 0.99
BEFORE_S = 2 * DAY_S
ROUNDING_S = 0.001
"""Instants are kept to the microsecond."""
TICK_S = 300.0
PATIENCE_S = 6 * 3600.0
"""After the time that the rule itself waits."""
HEALTHY_S = 60 * DAY_S
HEALTHY_TICK_S = 3600.0


class HardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hard fault."""

    fault: str
    events: int
    recall: Interval | None
    hours: float | None
    """Median time to detect."""
    waits_hours: float
    """What of it the rule waits by its settings."""
    first_right: float | None
    goal: float = GOAL

    @property
    def missed(self) -> bool:
        """Whether the target is missed."""
        return self.recall is None or self.recall.value < self.goal


class RuleAlarms(msgspec.Struct, frozen=True, kw_only=True):
    """False alarms of the rules per healthy connector-month: tickets, pages, and what they said."""

    tickets: Interval
    pages: Interval
    kinds: dict[str, int]


def hard_rows(plan: Plan, progress: Callable[[float], None], per_fault: int) -> list[HardRow]:
    """All hard faults."""
    rng = np.random.default_rng((plan.seed, 1))
    rows = []
    for at, fault in enumerate(HARD_FAULTS):
        rows.append(_row(plan, fault, rng, per_fault))
        progress((at + 1) / len(HARD_FAULTS))
    return rows


def _row(plan: Plan, fault: HardFault, rng: np.random.Generator, per_fault: int) -> HardRow:
    found: list[tuple[int, bool]] = []
    hours: list[float] = []
    first: list[bool] = []
    for subject, scene in _scenes(plan, fault, rng, per_fault):
        at, kinds = _judged(plan, plan.connectors[subject], fault, scene)
        found.append((subject, at is not None))
        if at is not None:
            hours.append((at - scene.began) / 3600.0)
        if kinds:
            first.append(bool(kinds & fault.right))
    return HardRow(
        fault=fault.name,
        events=len(found),
        recall=share(found, plan.seed),
        hours=float(np.median(hours)) if hours else None,
        waits_hours=fault.waits_s / 3600.0,
        first_right=float(np.mean(first)) if first else None,
    )


def _scenes(plan: Plan, fault: HardFault, rng: np.random.Generator, count: int) -> Iterator[tuple[int, Scene]]:
    """Sessions that served, of connectors of every rate of traffic in turn."""
    strata = [
        [at for at, each in enumerate(plan.connectors) if not each.fit and low <= each.rate < high] for _, low, high in STRATA
    ]
    filled = [stratum for stratum in strata if stratum]
    made, tries = 0, 0
    while filled and made < count and tries < 40 * count:
        subject = int(rng.choice(filled[tries % len(filled)]))
        tries += 1
        scene = _scene(plan.connectors[subject], plan, fault, rng)
        if scene is not None:
            made += 1
            yield subject, scene


def _scene(connector: Connector, plan: Plan, fault: HardFault, rng: np.random.Generator) -> Scene | None:
    at = int(rng.integers(len(connector.sessions)))
    number, session = connector.sessions[at]
    served = (session.energy_wh or 0.0) > 3000.0 and session.ended - session.began > 2400.0
    if session.began < plan.cut or not served or not connector.health.healthy(session.began - BEFORE_S, session.ended):
        return None
    began = session.began if fault.in_session else session.ended + 600.0
    return Scene(number=number, session=session, began=began, seed=plan.seed)


def _judged(plan: Plan, connector: Connector, fault: HardFault, scene: Scene) -> tuple[float | None, set[str]]:
    """(when a right kind was found, the kinds that were found first)."""
    charge_point_id = connector.key[0]
    story = _story(plan, connector, fault, scene)
    before = [each for each in story if each.received_at.timestamp() < scene.began - ROUNDING_S]
    signals = NetworkSignals()
    for fact in before:
        signals.apply(fact)
    known = {(each.kind, each.connector) for each in _findings(signals, charge_point_id, scene.began - 1.0, None)}
    end = scene.began + fault.waits_s + PATIENCE_S + (scene.session.ended - scene.session.began if fault.in_session else 0.0)
    first: set[str] = set()
    for now in _looks(signals, story[len(before) :], scene.began, end):
        found = _findings(signals, charge_point_id, now, scene.began if fault.silent else None)
        new = {each.kind for each in found if (each.kind, each.connector) not in known}
        first = first or new
        if new & fault.right:
            return now, first
    return None, first


def _story(plan: Plan, connector: Connector, fault: HardFault, scene: Scene) -> list[Fact]:
    """The whole charge point's facts from two days before."""
    start, end = scene.began - BEFORE_S, scene.began + fault.waits_s + 2 * DAY_S
    same = [each for each in plan.connectors if each.key[0] == connector.key[0]]
    usual: list[Numbered] = [
        (number, session)
        for each in same
        for number, session in each.sessions
        if start < session.began < end and (each.key != connector.key or number < scene.number)
    ]
    if not fault.in_session:
        usual.append((scene.number, scene.session))
    told = [*opened(start - 60.0, connector.model), *day_to_day(usual, plan.seed)]
    flown = sum(session.energy_wh or 0.0 for _, session in usual if session.connector == connector.key[1])
    if fault.silent:
        told = [each for each in told if each.at < scene.began]
    told += fault.tell(msgspec.structs.replace(scene, register_wh=FIRST_REGISTER_WH + flown))
    return facts(connector.key[0], (behind(each, fault.behind_s) if each.at >= scene.began else each for each in told))


def _looks(signals: NetworkSignals, story: Sequence[Fact], began: float, end: float, tick_s: float = TICK_S) -> Iterator[float]:
    """Instants to look at, each after the facts until then were taken in."""
    ticks = [began + tick * tick_s for tick in range(1, int((end - began) // tick_s) + 1)]
    instants = sorted({*ticks, *(fact.received_at.timestamp() for fact in story if fact.received_at.timestamp() <= end)})
    at = 0
    for now in instants:
        while at < len(story) and story[at].received_at.timestamp() <= now:
            signals.apply(story[at])
            at += 1
        yield now


def _findings(signals: NetworkSignals, charge_point_id: str, now: float, heard: float | None) -> list[Finding]:
    """What the rules say. heard: when it was last heard, None for now."""
    last = datetime.fromtimestamp(now if heard is None else heard, UTC)
    return judge(signals, datetime.fromtimestamp(now, UTC), SETTINGS, {}, Heard(last_frame_at={charge_point_id: last}))


def rule_alarms(plan: Plan, progress: Callable[[float], None]) -> RuleAlarms:
    """Sixty days of every charge point from the cut on, as they were."""
    by_point: dict[str, list[Connector]] = {}
    for each in plan.connectors:
        if each.health.always is None:
            by_point.setdefault(each.key[0], []).append(each)
    tickets: list[tuple[int, float]] = []
    pages: list[tuple[int, float]] = []
    kinds: dict[str, int] = {}
    for at, (charge_point_id, connectors) in enumerate(by_point.items()):
        episodes = _healthy(plan, charge_point_id, connectors)
        months = sum(each.health.healthy_s(plan.cut, plan.cut + HEALTHY_S) for each in connectors) / MONTH_S
        paged = sum(KINDS[kind].severity == Severity.CRITICAL for kind in episodes)
        tickets.append((len(episodes) - paged, months))
        pages.append((paged, months))
        for kind in episodes:
            kinds[kind] = kinds.get(kind, 0) + 1
        progress((at + 1) / len(by_point))
    return RuleAlarms(tickets=rate(tickets, plan.seed), pages=rate(pages, plan.seed), kinds=kinds)


def _healthy(plan: Plan, charge_point_id: str, connectors: Sequence[Connector]) -> list[str]:
    """The kinds of all episodes in healthy times of one charge point."""
    end = plan.cut + HEALTHY_S
    usual = [each for each in chain(*(each.sessions for each in connectors)) if plan.cut <= each[1].began < end]
    told: list[Told] = [*opened(plan.cut - 60.0, connectors[0].model), *day_to_day(usual, plan.seed)]
    health = {each.key[1]: each.health for each in connectors}
    signals = NetworkSignals()
    last: dict[tuple[str, str | None], float] = {}
    episodes: list[str] = []
    for now in _looks(signals, facts(charge_point_id, told), plan.cut, end, HEALTHY_TICK_S):
        for finding in _findings(signals, charge_point_id, now, None):
            known = health.get(finding.connector or "")
            if known is not None and not known.healthy(now, now + 1.0):
                continue
            if now - last.get((finding.kind, finding.connector), -QUIET_S) >= QUIET_S:
                episodes.append(finding.kind)
            last[finding.kind, finding.connector] = now
    return episodes
