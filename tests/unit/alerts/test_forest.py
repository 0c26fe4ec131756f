"""The isolation forest over weeks: what it learns from, what it says, and that it never wakes anybody."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from alerts.detectors.forest import FEATURES, FEWEST_ROWS, TREES, Forest, features, judge_weeks
from alerts.detectors.statistics import StatisticsSettings
from alerts.detectors.statistics.view import View
from chargenet.model.notice import Severity
from tests.support.attempts import TRIED, attempt, day, network

NAMES = [name for name, _ in FEATURES]
RNG = np.random.default_rng(1)
ORDINARY = RNG.normal(size=(300, len(FEATURES)))


@cache
def learned() -> Forest:
    """A forest of one cohort, number 0."""
    forest = Forest()
    forest.learn(ORDINARY, np.zeros(300, int))
    return forest


def test_its_scores_are_those_of_scikit_learn() -> None:
    """All trees at once give what the library's own loop gives."""
    rows = RNG.normal(size=(200, len(FEATURES))) * 2
    library = IsolationForest(n_estimators=TREES, max_samples=256, random_state=0).fit(ORDINARY)
    assert learned().score(rows, np.zeros(200, int)) == pytest.approx(-library.score_samples(rows), abs=1e-9)


@pytest.mark.parametrize("feature", range(len(FEATURES)))
def test_what_stands_out_is_named_first(feature: int) -> None:
    """A week that is odd in one feature: that one makes most of its score."""
    week = np.zeros(len(FEATURES))
    week[feature] = 8.0
    why = learned().why(week, 0)
    assert why[0][0] == feature and why[0][1] > max(share for _, share, _ in why[1:])


def test_what_a_week_does_not_show_is_taken_as_ordinary() -> None:
    """A NaN scores as its cohort's median does."""
    forest = learned()
    unknown, known = np.zeros((1, len(FEATURES))), np.zeros((1, len(FEATURES)))
    unknown[0, 3], known[0, 3] = np.nan, np.median(ORDINARY[:, 3])
    assert forest.score(unknown, np.zeros(1, int)) == forest.score(known, np.zeros(1, int))


def test_a_small_cohort_is_judged_by_the_whole_network() -> None:
    """Too few weeks of its own teach nothing; too few of everybody's neither."""
    forest = learned()
    week = np.zeros((1, len(FEATURES)))
    assert forest.score(week, np.array([7]))[0] > 0
    young = Forest()
    young.learn(ORDINARY[: FEWEST_ROWS - 1], np.zeros(FEWEST_ROWS - 1, int))
    assert young.score(week, np.zeros(1, int))[0] == 0.0 and young.why(week[0], 0) == []


def test_the_same_weeks_grow_the_same_forest() -> None:
    """The seed is fixed: two processes find the same."""
    first, second = (each.score(ORDINARY, np.zeros(300, int)) for each in (learned(), learned.__wrapped__()))
    assert np.array_equal(first, second)


def test_an_odd_week_is_a_ticket_with_the_features_that_make_it_odd() -> None:
    """And never a page, however odd it is."""
    history, forest = network(64, connectors=10), Forest()
    for week in range(2, 9):
        assert judge_weeks(history, forest, day(7 * week), learn=True) == []
    for number in range(40):
        history.add(attempt(63.1 + number / 60, "little", temperature_c=None))
    settings = StatisticsSettings(forest_limit=0.6)
    findings = [each for each in judge_weeks(history, forest, day(64.2), settings) if each.charge_point_id == TRIED[0]]
    assert [(each.kind, each.severity) for each in findings] == [("unusual", Severity.WARNING)]
    named = [each.what for each in findings[0].evidence]
    assert named and set(named) <= set(NAMES) and findings[0].summary.endswith(named[0])
    assert any(each.expected != each.value for each in findings[0].evidence)


def test_a_week_without_attempts_has_no_medians() -> None:
    """Absent is not zero."""
    history = network(30, until=20)
    row = np.array([history.row_of[TRIED]])
    week = features(View(history, row, day(30).timestamp(), StatisticsSettings()))[0]
    assert np.isnan(week[NAMES.index("median energy of an attempt")]) and np.isnan(week[NAMES.index("highest temperature")])
    assert week[NAMES.index("attempts this week against its usual")] < -2


def test_no_connector_no_finding() -> None:
    """An empty network."""
    assert judge_weeks(network(1, connectors=0), Forest(), day(10), learn=True) == []
