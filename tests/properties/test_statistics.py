"""Statistical tests under any attempts: more failures never lower the score; order, repetitions and restarts do not matter."""

from __future__ import annotations

import random
from functools import cache

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.attempts import Attempt
from alerts.detectors.statistics import History, StatisticsSettings, judge, restore, take
from alerts.detectors.statistics.betabinomial import log_tail
from alerts.detectors.statistics.levels import Levels
from alerts.detectors.statistics.view import View
from tests.support.attempts import TRIED, attempt, day, network

LOOSE = StatisticsSettings(
    no_energy_limit=10.0, failing_limit=10.0, silence_limit=10.0, power_limit=10.0, temperature_limit=10.0, intervals_limit=10.0
)
tries = st.lists(
    st.tuples(
        st.sampled_from(["good", "good", "empty", "little", "not_started", "rejected"]), st.sampled_from(["A", "B", "C", None])
    ),
    min_size=1,
    max_size=24,
)


@cache
def peers() -> dict[str, bytes]:
    """A network without attempts at the connector that is tried."""
    return {name: piece for name, piece in take(network(30, until=0)).items() if piece is not None}


def told(rows: list[tuple[str, str | None]]) -> list[Attempt]:
    """Two attempts a day; a token of its own where none is named."""
    return [attempt(20 + number / 2, outcome, token=token) for number, (outcome, token) in enumerate(rows)]


def history(attempts: list[Attempt]) -> History:
    """The network with these attempts."""
    made = restore(peers().items())
    for each in attempts:
        made.add(each)
    return made


def levels(made: History) -> Levels:
    """All tests of the connector that is tried, at day 33."""
    return Levels(View(made, np.array([made.row_of[TRIED]]), day(33).timestamp(), LOOSE))


@settings(max_examples=60, deadline=None)
@given(tries, st.data())
def test_one_more_failure_never_lowers_the_score(rows: list[tuple[str, str | None]], data: st.DataObject) -> None:
    """An attempt that served its driver, turned into one that gave nothing: no test of failures becomes less sure."""
    served = [number for number, (outcome, _) in enumerate(rows) if outcome == "good"]
    if not served:
        return
    at = data.draw(st.sampled_from(served))
    worse = [("empty", token) if number == at else (outcome, token) for number, (outcome, token) in enumerate(rows)]
    before, after = levels(history(told(rows))), levels(history(told(worse)))
    for kind in ("zero_energy", "failing_attempts"):
        first, second = float(getattr(before, kind).e[0]), float(getattr(after, kind).e[0])
        assert second <= first * (1 + 1e-9) or first == second


@settings(max_examples=40, deadline=None)
@given(tries, st.randoms(use_true_random=False), st.data())
def test_order_and_repetitions_do_not_matter(rows: list[tuple[str, str | None]], dice: random.Random, data: st.DataObject) -> None:
    """Attempts may come late and again: the same is found."""
    plain = told(rows)
    shuffled = [*plain, *data.draw(st.lists(st.sampled_from(plain), max_size=6))]
    dice.shuffle(shuffled)
    one, other = history(plain), history(shuffled)
    assert judge(one, day(33), LOOSE) == judge(other, day(33), LOOSE)
    row = one.row_of[TRIED]
    assert np.array_equal(one.table.days[row], other.table.days[other.row_of[TRIED]])


@settings(max_examples=30, deadline=None)
@given(tries)
def test_a_restart_changes_nothing(rows: list[tuple[str, str | None]]) -> None:
    """Stored and taken up again, the same is found."""
    made = history(told(rows))
    pieces = {**peers(), **{name: piece for name, piece in take(made).items() if piece is not None}}
    assert judge(restore(pieces.items()), day(33), LOOSE) == judge(made, day(33), LOOSE)


@settings(max_examples=30, deadline=None)
@given(tries, st.integers(0, 23))
def test_a_longer_silence_never_lowers_the_score(rows: list[tuple[str, str | None]], hours: int) -> None:
    """While nobody comes, silence only becomes less likely to be chance."""
    made = history(told(rows))
    row = np.array([made.row_of[TRIED]])
    sooner, later = (float(Levels(View(made, row, day(34 + extra / 24).timestamp(), LOOSE)).silent.e[0]) for extra in (0, hours))
    assert later <= sooner * (1 + 1e-6) or not np.isfinite(sooner)


@settings(max_examples=30, deadline=None)
@given(tries)
def test_scores_are_probabilities_and_evidence_is_there(rows: list[tuple[str, str | None]]) -> None:
    """Whatever is found can be shown to a person."""
    for finding in judge(history(told(rows)), day(33), LOOSE):
        assert 0.0 <= finding.score <= 1.0 and finding.summary and finding.action and finding.evidence
        assert msgspec.json.decode(msgspec.json.encode(finding), type=type(finding)) == finding


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 24), st.integers(0, 24), st.floats(0.01, 0.5), st.floats(2, 200))
def test_the_tail_of_the_beta_binomial(tried: int, failed: int, rate: float, weight: float) -> None:
    """A probability that falls with every failure, and rises with every further try."""
    failed = min(failed, tried)
    a, b = np.array([rate * weight]), np.array([(1 - rate) * weight])

    def tail(k: int, f: int) -> float:
        return float(log_tail(np.array([[k]]), np.array([[f]]), a, b, 26)[0, 0])

    here = tail(tried, failed)
    assert here <= 1e-9
    assert tail(tried + 1, failed + 1) <= here + 1e-9
    assert tail(tried + 1, failed) >= here - 1e-9
