"""The unknown unknown: weeks that are unlike those of all peers. Decided here: what a week is made of, and how it is put in words.

An isolation forest per model cohort (Liu, Ting and Zhou 2008) over weekly features, fitted on the peers' weeks of the last two
months. A batch once a day, never per message (one row costs as much as thousands). What stands out is told by ablation: the
feature that, set to its cohort's median, makes the week most ordinary. A ticket, never a page: alone, forests find little
(docs/detection.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sklearn.ensemble import IsolationForest

from alerts.detectors.statistics.history import History, Key
from alerts.detectors.statistics.settings import DEFAULTS, StatisticsSettings
from alerts.detectors.statistics.table import DAY_S, EMPTY, FAILED, TRIED, Array
from alerts.detectors.statistics.view import View
from alerts.finding import Evidence, Finding
from alerts.kinds import KINDS

FEATURES: tuple[tuple[str, str], ...] = (
    ("attempts this week against its usual", "ratio (log2)"),
    ("share of attempts that failed", ""),
    ("share of attempts that gave nothing", ""),
    ("median energy of an attempt", "Wh (log2)"),
    ("median length of an attempt", "s (log2)"),
    ("median power against the offer", "ratio (log2)"),
    ("share of readings out of step", ""),
    ("highest temperature", "Celsius"),
)
"""Name and unit of each column of `features`."""
WEEKS = 8
FEWEST_ROWS = 64
"""Fewer weeks than this teach nothing: such cohorts are judged by the weeks of the whole network."""
REFIT_WEEKS = 4
TREES, SAMPLE = 100, 256
NETWORK = -1


def features(view: View) -> Array:
    """rows × FEATURES of the last seven days; the cohort's median stands in for what a week did not show (see Forest)."""
    records = view.records
    recent = view.used & (records["began"] > view.now - 7 * DAY_S)
    week = view.daily(TRIED)[:, -7:].sum(axis=1)
    usual = view.tries_per_month * 7 / 30.4
    outcome = records["outcome"]
    tried = np.maximum(recent.sum(axis=1), 1)
    bad = (recent & ((outcome == EMPTY) | (outcome == FAILED))).sum(axis=1) / tried
    empty = (recent & (outcome == EMPTY)).sum(axis=1) / tried
    length = np.maximum(records["ended"] - records["began"], 1.0)
    intervals = np.maximum((recent * records["intervals"]).sum(axis=1), 1)
    columns = [
        np.log2((week + 1.0) / (usual + 1.0)),
        bad,
        empty,
        _median(np.log2(np.maximum(records["energy_wh"], 1.0)), recent),
        _median(np.log2(length), recent),
        _median(records["log2_power"], recent),
        (recent * records["late"]).sum(axis=1) / intervals,
        _most(records["temperature_c"], recent),
    ]
    made: Array = np.stack(columns, axis=1).astype(np.float64)
    return made


class Forest:
    """Forests per cohort and what they learned from: the last WEEKS weeks of each cohort. In memory: a restart learns again."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._weeks: dict[int, list[Array]] = {}
        self._fitted: dict[int, _Fitted] = {}
        self._learned = 0

    def learn(self, week: Array, cohorts: Array) -> None:
        """Add one week of the peers, and forget the oldest. Forests are grown anew every REFIT_WEEKS, or with the first weeks."""
        self._learned += 1
        if self._learned <= WEEKS or self._learned % REFIT_WEEKS == 0:
            self._fitted.clear()
        for cohort in (NETWORK, *np.unique(cohorts).tolist()):
            kept = self._weeks.setdefault(int(cohort), [])
            kept.append(week if cohort == NETWORK else week[cohorts == cohort])
            del kept[:-WEEKS]

    def score(self, week: Array, cohorts: Array) -> Array:
        """How unlike its peers each row is, 0…1; about 0.5 is ordinary. 0 while too little was learned."""
        scores: Array = np.zeros(len(week))
        for cohort in np.unique(cohorts):
            fitted = self._fit(int(cohort))
            if fitted is not None:
                rows = cohorts == cohort
                scores[rows] = fitted.score(week[rows])
        return scores

    def why(self, row: Array, cohort: int) -> list[tuple[int, float, float]]:
        """(feature, how much of the score it makes, the cohort's median), the largest share first."""
        fitted = self._fit(cohort)
        return [] if fitted is None else fitted.why(row)

    def _fit(self, cohort: int) -> _Fitted | None:
        for each in (cohort, NETWORK):
            weeks = self._weeks.get(each, [])
            if each not in self._fitted and sum(len(week) for week in weeks) >= FEWEST_ROWS:
                self._fitted[each] = _Fitted(np.concatenate(weeks), self._seed)
            if each in self._fitted:
                return self._fitted[each]
        return None


class _Fitted:
    """One forest, and the medians that stand in for what is not known."""

    def __init__(self, weeks: Array, seed: int) -> None:
        with np.errstate(all="ignore"):
            known = (column[np.isfinite(column)] for column in weeks.T)
            self._median = np.array([np.median(column) if len(column) else 0.0 for column in known])
        self._forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLE, len(weeks)), random_state=seed, n_jobs=1)
        self._forest.fit(self._whole(weeks))

    def score(self, rows: Array) -> Array:
        scores: Array = -self._forest.score_samples(self._whole(rows))
        return scores

    def why(self, row: Array) -> list[tuple[int, float, float]]:
        whole = self._whole(row[None, :])
        each = np.repeat(whole, len(FEATURES), axis=0)
        np.fill_diagonal(each, self._median)
        shares = self.score(whole)[0] - self.score(each)
        return [(int(at), float(shares[at]), float(self._median[at])) for at in np.argsort(-shares)]

    def _whole(self, rows: Array) -> Array:
        return np.where(np.isfinite(rows), rows, self._median)


def judge_weeks(
    history: History, forest: Forest, now: datetime, settings: StatisticsSettings = DEFAULTS, *, learn: bool = False
) -> list[Finding]:
    """Connectors whose last seven days are unlike those of all peers. `learn`: this week teaches, too (once a week).

    Seconds of CPU for 50,000 connectors: run it in a worker thread or process.
    """
    keys = list(history.row_of)
    if not keys:
        return []
    view = View(history, np.array([history.row_of[key] for key in keys]), now.timestamp(), settings)
    week, cohorts = features(view), history.codes.model[view.rows]
    if learn:
        forest.learn(week, cohorts)
    scores = forest.score(week, cohorts)
    known = view.count > 0
    found = np.flatnonzero(known & (scores >= settings.forest_limit))
    return [_finding(keys[int(at)], float(scores[at]), week[at], forest.why(week[at], int(cohorts[at])), now) for at in found]


def _finding(key: Key, score: float, week: Array, why: Sequence[tuple[int, float, float]], now: datetime) -> Finding:
    named = [(FEATURES[at], week[at], median) for at, share, median in why[:3] if share > 0 and np.isfinite(week[at])]
    first = named[0][0][0] if named else "the mix of all features"
    return Finding(
        kind="unusual",
        charge_point_id=key[0],
        connector=key[1],
        severity=KINDS["unusual"].severity,
        score=min(1.0, max(0.0, score)),
        began_at=datetime.fromtimestamp(now.timestamp() - 7 * DAY_S, UTC),
        summary=f"its week is unlike those of its peers, first of all: {first}",
        evidence=tuple(
            Evidence(what=name, value=round(float(value), 3), unit=unit, expected=round(median, 3))
            for (name, unit), value, median in named
        ),
        action=KINDS["unusual"].action,
    )


def _median(values: Array, where: Array) -> Array:
    chosen = np.sort(np.where(where & np.isfinite(values), values, np.inf), axis=1)
    count = np.isfinite(chosen).sum(axis=1)
    middle = chosen[np.arange(len(values)), np.maximum((count - 1) // 2, 0)]
    return np.where(count > 0, middle, np.nan)


def _most(values: Array, where: Array) -> Array:
    highest = np.where(where & np.isfinite(values), values, -np.inf).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)
