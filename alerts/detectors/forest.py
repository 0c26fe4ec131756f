"""The unknown unknown: weeks that are unlike those of all peers. Decided here: what a week is made of, and how it is put in words.

An isolation forest per model cohort (Liu, Ting and Zhou 2008) over weekly features, fitted on the peers' weeks of the last two
months. A batch once a day, never per message (one row costs as much as thousands). What stands out is told by ablation: the
feature that, set to its cohort's median, makes the week most ordinary. A ticket, never a page: alone, forests find little
(docs/detection.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import numpy as np

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
        # A second of import and 100 MB, needed where forests grow: whoever only makes features does without.
        from sklearn.ensemble import IsolationForest

        with np.errstate(all="ignore"):
            known = (column[np.isfinite(column)] for column in weeks.T)
            self._median = np.array([np.median(column) if len(column) else 0.0 for column in known])
        sample = min(SAMPLE, len(weeks))
        forest = IsolationForest(n_estimators=TREES, max_samples=sample, random_state=seed, n_jobs=1).fit(self._whole(weeks))
        self._usual_depth = float(_path_length(np.array([sample]))[0])
        self._roots, self._nodes = _nodes(forest)

    def score(self, rows: Array) -> Array:
        """As `IsolationForest.score_samples` with the sign turned, all trees at once: its own loop costs 30 ms a call."""
        whole = self._whole(rows).astype(np.float32)
        at = np.repeat(self._roots[None, :], len(whole), axis=0)
        row = np.arange(len(whole))[:, None]
        nodes = self._nodes
        for _ in range(nodes.deepest):
            left = whole[row, nodes.feature[at]] <= nodes.threshold[at]
            at = np.where(left, nodes.left[at], nodes.right[at])
        scores: Array = 2.0 ** (-nodes.length[at].mean(axis=1) / self._usual_depth)
        return scores

    def why(self, row: Array) -> list[tuple[int, float, float]]:
        whole = self._whole(row[None, :])
        each = np.repeat(whole, len(FEATURES), axis=0)
        np.fill_diagonal(each, self._median)
        shares = self.score(whole)[0] - self.score(each)
        return [(int(at), float(shares[at]), float(self._median[at])) for at in np.argsort(-shares)]

    def _whole(self, rows: Array) -> Array:
        return np.where(np.isfinite(rows), rows, self._median)


class _Nodes(NamedTuple):
    """The nodes of all trees in one list. A leaf leads to itself; `length`: Liu's path length of what ends there."""

    feature: Array
    threshold: Array
    left: Array
    right: Array
    length: Array
    deepest: int


def _nodes(forest: Any) -> tuple[Array, _Nodes]:
    """Where each tree's root is, and all nodes."""
    columns: dict[str, list[Array]] = {name: [] for name in ("feature", "threshold", "left", "right", "length")}
    roots, begin, deepest = [], 0, 0
    for estimator in forest.estimators_:
        tree = estimator.tree_
        itself = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        roots.append(begin)
        columns["feature"].append(np.where(leaf, 0, tree.feature))
        columns["threshold"].append(tree.threshold)
        columns["left"].append(begin + np.where(leaf, itself, tree.children_left))
        columns["right"].append(begin + np.where(leaf, itself, tree.children_right))
        depth = _depths(tree.children_left, tree.children_right)
        columns["length"].append(depth + _path_length(tree.n_node_samples))
        begin += tree.node_count
        deepest = max(deepest, int(tree.max_depth))
    joined = {name: np.concatenate(parts) for name, parts in columns.items()}
    return np.array(roots), _Nodes(**joined, deepest=deepest)


def _depths(left: Array, right: Array) -> Array:
    """Edges from the root to each node of one tree. Children come after their parent."""
    depth = np.zeros(len(left))
    for node in np.flatnonzero(left >= 0):
        depth[left[node]] = depth[right[node]] = depth[node] + 1.0
    return depth


def _path_length(count: Array) -> Array:
    """c(n): the mean depth of an unsuccessful search among n (Liu, Ting and Zhou 2008, equation 1)."""
    n = np.maximum(count.astype(float), 2.0)
    usual = 2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n
    length: Array = np.where(count <= 1, 0.0, np.where(count == 2, 1.0, usual))
    return length


class Week(NamedTuple):
    """The last seven days of every connector, in rows: all that a forest needs, so that another process can judge it."""

    keys: list[Key]
    features: Array
    cohorts: Array
    known: Array
    """Whether anything is known of the row at all."""


def last_week(history: History, now: datetime, settings: StatisticsSettings = DEFAULTS) -> Week:
    """The seven days before `now`. Reads the history only."""
    keys = list(history.row_of)
    view = View(history, np.array([history.row_of[key] for key in keys], np.int64), now.timestamp(), settings)
    return Week(keys, features(view), history.codes.model[view.rows], view.count > 0)


def unusual(forest: Forest, week: Week, now: datetime, limit: float = DEFAULTS.forest_limit) -> list[Finding]:
    """The connectors whose week is unlike those of all peers. Seconds of CPU for 50,000 connectors: not for an event loop."""
    if not week.keys:
        return []
    scores = forest.score(week.features, week.cohorts)
    found = [int(at) for at in np.flatnonzero(week.known & (scores >= limit))]
    whys = [forest.why(week.features[at], int(week.cohorts[at])) for at in found]
    return [_finding(week.keys[at], float(scores[at]), week.features[at], why, now) for at, why in zip(found, whys, strict=True)]


def judge_weeks(
    history: History, forest: Forest, now: datetime, settings: StatisticsSettings = DEFAULTS, *, learn: bool = False
) -> list[Finding]:
    """Connectors whose last seven days are unlike those of all peers. `learn`: this week teaches, too (once a week)."""
    week = last_week(history, now, settings)
    if learn and week.keys:
        forest.learn(week.features, week.cohorts)
    return unusual(forest, week, now, settings.forest_limit)


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
