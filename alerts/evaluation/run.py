"""One causal run over a recording. Decided here: when each test looks, and that it sees nothing but what had happened by then.

Day by day. A fault is a fork: a connector that knows what the real one knew when the fault began, goes on with the injected
attempts, and is no peer to anyone. After every attempt the attempt tests look at that connector, with its peers as of the last
midnight; four times a day the silence test looks at all. The same code judges a running network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from alerts.attempts import Attempt
from alerts.detectors.forest import Forest, features
from alerts.detectors.statistics.history import History
from alerts.detectors.statistics.levels import KINDS, Levels
from alerts.detectors.statistics.settings import StatisticsSettings
from alerts.detectors.statistics.table import Array
from alerts.detectors.statistics.view import View
from alerts.evaluation.baselines import ATTEMPT_BASELINES, silent_days, weak_power
from alerts.evaluation.plan import DAY_S, Event, Plan, base_attempts

TICKS = 4
"""Looks of the silence test a day."""
ATTEMPT_KINDS = tuple(kind for kind in KINDS if kind != "silent")
Progress = Callable[[float], None]


class Look(msgspec.Struct, frozen=True):
    """What one test said of one subject over time: instants (UTC seconds) and levels, smaller is stronger."""

    at: Array
    level: Array


class Recording:
    """Looks per test and subject. Subjects: connectors by number, then events by number after them."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Array, Array, Array]]] = {}

    def add(self, test: str, subjects: Array, at: Array, level: Array) -> None:
        """Levels of one look. What is far from any limit is left out."""
        worth = level < 10.0
        if worth.any():
            self._rows.setdefault(test, []).append((subjects[worth], at[worth], level[worth].astype(np.float64)))

    def looks(self) -> dict[str, dict[int, Look]]:
        """Test → subject → its looks in order of time."""
        made: dict[str, dict[int, Look]] = {}
        for test, rows in self._rows.items():
            subjects, at, level = (np.concatenate(column) for column in zip(*rows, strict=True))
            order = np.lexsort((at, subjects))
            subjects, at, level = subjects[order], at[order], level[order]
            bounds = np.flatnonzero(np.diff(subjects)) + 1
            groups = zip(np.split(subjects, bounds), np.split(at, bounds), np.split(level, bounds), strict=True)
            made[test] = {int(who[0]): Look(when, how) for who, when, how in groups}
        return made


class Runner:
    """Runs the days of a plan. `energy_only`: another pass, for charge points that report no power, with the power test alone."""

    def __init__(self, plan: Plan, settings: StatisticsSettings, *, energy_only: bool = False) -> None:
        self._plan, self._settings, self._energy_only = plan, settings, energy_only
        self._history = History()
        self._base = base_attempts(plan, energy_only=energy_only)
        self._base_at = 0
        self._rows: dict[int, int] = {}
        self._waiting = sorted(
            (at for at, event in enumerate(plan.events) if event.fault.energy_only is energy_only),
            key=lambda at: plan.events[at].began,
        )
        self._active: dict[int, list[Attempt]] = {}
        self._scratch: list[int] = []
        self._forest = Forest()
        self.recording = Recording()

    def run(self, progress: Progress = lambda _: None) -> Recording:
        """The whole recording, in order of time. `progress` gets the share that is done."""
        plan = self._plan
        for connector in plan.connectors:
            self._history.describe(connector.key[0], None, connector.model)
            self._history.place(connector.key[0], connector.site or None)
        day = float(plan.start // DAY_S * DAY_S)
        while day < plan.end:
            self._day(day)
            day += DAY_S
            progress((day - plan.start) / (plan.end - plan.start))
        return self.recording

    def _day(self, day: float) -> None:
        self._begin_events(day)
        today = self._take(day + DAY_S)
        self._judge_attempts(day, today)
        ticks = np.linspace(day, day + DAY_S, TICKS + 1)[1:]
        done = 0
        for tick in ticks:
            while done < len(today) and today[done][1].ended_at.timestamp() <= tick:
                subject, attempt = today[done]
                self._add(subject, attempt)
                done += 1
            if not self._energy_only:
                self._judge_silence(float(tick))
        if not self._energy_only and int(day // DAY_S) % 7 == 3:  # the night to Monday
            self._judge_weeks(day + DAY_S)
        for event in [each for each in self._active if self._plan.events[each].ended <= day + DAY_S]:
            del self._active[event]
            self._scratch.append(self._rows.pop(len(self._plan.connectors) + event))

    def _begin_events(self, day: float) -> None:
        plan = self._plan
        while self._waiting and plan.events[self._waiting[0]].began <= day:
            number = self._waiting.pop(0)
            event = plan.events[number]
            source = self._rows.get(event.connector)
            if source is not None:
                self._rows[len(plan.connectors) + number] = self._copy(source)
                self._active[number] = list(event.attempts)

    def _copy(self, row: int) -> int:
        table, codes = self._history.table, self._history.codes
        made = self._scratch.pop() if self._scratch else table.add_row()
        table.overwrite_row(made, row)
        codes.copy_row(row, made)
        return made

    def _take(self, until: float) -> list[tuple[int, Attempt]]:
        """What ends before `until`, of connectors and of forks, by end."""
        taken: list[tuple[int, Attempt]] = []
        while self._base_at < len(self._base) and self._base[self._base_at][1].ended_at.timestamp() < until:
            taken.append(self._base[self._base_at])
            self._base_at += 1
        for number, attempts in self._active.items():
            while attempts and attempts[0].ended_at.timestamp() < until:
                taken.append((len(self._plan.connectors) + number, attempts.pop(0)))
        return sorted(taken, key=lambda each: each[1].ended_at)

    def _add(self, subject: int, attempt: Attempt) -> None:
        if subject >= len(self._plan.connectors):
            self._history.table.add(self._rows[subject], attempt)
            return
        self._history.add(attempt)
        self._rows[subject] = self._history.row_of[attempt.charge_point_id, attempt.connector]

    def _judge_attempts(self, day: float, today: Sequence[tuple[int, Attempt]]) -> None:
        """Each attempt of the day gets a scratch row that knows its connector's past up to it, then all are judged at once."""
        newest: dict[int, int] = {}
        rows: list[int] = []
        for subject, attempt in today:
            source = newest.get(subject, self._rows.get(subject))
            if source is None:
                continue  # its first attempt ever
            row = newest[subject] = self._copy(source)
            self._history.table.add(row, attempt)
            rows.append(row)
        judged = [(subject, attempt) for subject, attempt in today if subject in newest]
        if rows:
            view = View(self._history, np.array(rows), day + DAY_S - 1.0, self._settings)
            self._record(view, np.array([each[0] for each in judged]), np.array([each[1].ended_at.timestamp() for each in judged]))
        self._scratch += rows

    def _record(self, view: View, subjects: Array, at: Array) -> None:
        levels = Levels(view)
        if self._energy_only:
            self.recording.add("power_derated, energy only", subjects, at, levels.power_derated.e)
            self.recording.add("fixed: power_derated, energy only", subjects, at, weak_power(view))
            return
        for kind in ATTEMPT_KINDS:
            self.recording.add(kind, subjects, at, getattr(levels, kind).e)
        drivers = np.where(levels.zero_energy.drivers >= 3, levels.zero_energy.e, np.inf)
        self.recording.add("zero_energy page", subjects, at, drivers)
        for name, baseline in ATTEMPT_BASELINES.items():
            self.recording.add(name, subjects, at, baseline(view))

    def _judge_silence(self, tick: float) -> None:
        subjects = np.array(list(self._rows))
        if len(subjects):
            view = View(self._history, np.array(list(self._rows.values())), tick, self._settings)
            at = np.full(len(subjects), tick)
            self.recording.add("silent", subjects, at, Levels(view).silent.e)
            self.recording.add("fixed: silent", subjects, at, silent_days(view))

    def _judge_weeks(self, now: float) -> None:
        subjects = np.array(list(self._rows))
        if not len(subjects):
            return
        view = View(self._history, np.array(list(self._rows.values())), now, self._settings)
        week = features(view)
        cohorts = self._history.codes.model[view.rows]
        peer = subjects < len(self._plan.connectors)
        self._forest.learn(week[peer], cohorts[peer])
        scores = self._forest.score(week, cohorts)
        self.recording.add("unusual", subjects, np.full(len(subjects), now), 1.0 - scores)


def subject_of(plan: Plan, event: int) -> int:
    """The subject number of an event."""
    return len(plan.connectors) + event


def events_of(plan: Plan) -> list[tuple[int, Event]]:
    """Events with their subject numbers."""
    return [(subject_of(plan, at), event) for at, event in enumerate(plan.events)]
