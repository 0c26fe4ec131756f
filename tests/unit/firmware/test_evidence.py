"""The bets: against their formulas, against the figures that are known of them, and what they must never do."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest

from firmware_orchestrator.evidence import averaging, baseline, installs, mixture, promotion
from firmware_orchestrator.evidence.baseline import History
from firmware_orchestrator.evidence.policy import GatePolicy
from firmware_orchestrator.evidence.signals import PARTS, TABLE, Signal


def test_the_table_has_every_signal_and_its_bets_add_up() -> None:
    """Each signal has one row, the parts of the composite are those that say so, and all shares are one."""
    assert set(TABLE) == set(Signal)
    assert sum(row.weight for row in TABLE.values()) == pytest.approx(1)
    assert Signal.ANY not in PARTS and Signal.OFFLINE in PARTS
    assert sum(GatePolicy(observe_only=(Signal.FAULTS,)).shares().values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("failures", "finished", "p0"),
    [(2, 2, 0.05), (2, 3, 0.05), (3, 5, 0.05), (4, 10, 0.05), (5, 20, 0.05), (1, 1, 0.02), (2, 5, 0.02), (1, 5, 0.001)],
)
def test_installations_halt_at_the_known_counts(failures: int, finished: int, p0: float) -> None:
    """At these counts E reaches 20, with one failure less it does not."""
    assert installs.log_e(failures, finished, p0) >= log(20)
    assert installs.log_e(failures - 1, finished, p0) < log(20)


def test_the_closed_form_is_the_integral() -> None:
    """E of k failures of n is the mean likelihood ratio over p in (p0, 1), here by the midpoint rule."""
    p0, k, n = 0.05, 3, 17
    p = p0 + (1 - p0) * (np.arange(200_000) + 0.5) / 200_000
    ratio = (p / p0) ** k * ((1 - p) / (1 - p0)) ** (n - k)
    assert exp(installs.log_e(k, n, p0)) == pytest.approx(float(ratio.mean()), rel=1e-6)


def test_counts_that_cannot_be_are_refused() -> None:
    """More failures than installations is a fault of the caller's."""
    with pytest.raises(ValueError, match="3 failures of 2 installations"):
        installs.log_e(3, 2, 0.05)


def test_the_bet_is_fair_when_the_firmware_is_not_worse() -> None:
    """Averaged over whose event it is, each event leaves E as it was: c and k as probabilities."""
    c, k = 10.0, 200.0
    before = mixture.bet(mixture.NOTHING, 1, 3, c, k)
    canary = exp(mixture.log_e(mixture.bet(before, 1, 0, c, k)))
    control = exp(mixture.log_e(mixture.bet(before, 0, 1, c, k)))
    assert (c * canary + k * control) / (c + k) == pytest.approx(exp(mixture.log_e(before)))


def test_the_proof_is_fair_when_the_firmware_is_just_so_much_worse() -> None:
    """At exactly r1 times worse an event leaves M as it was on average."""
    c, k, r1 = 10.0, 200.0, 5.0
    canary, control = exp(promotion.proof(0, 1, 0, c, k, r1)), exp(promotion.proof(0, 0, 1, c, k, r1))
    assert (r1 * c * canary + k * control) / (r1 * c + k) == pytest.approx(1)


def test_one_group_alone_says_nothing() -> None:
    """Without a control group, or without canaries, neither bet moves."""
    assert mixture.bet(mixture.NOTHING, 5, 0, 10.0, 0.0) == mixture.NOTHING
    assert promotion.proof(0.5, 0, 5, 0.0, 10.0, 5.0) == 0.5


def test_an_average_of_bets() -> None:
    """Shares of the e-values, in logs that no float could hold as numbers; without any share there is no bet."""
    assert averaging.log_mean([(0.25, log(8)), (0.75, 0.0)]) == pytest.approx(log(2.75))
    assert averaging.log_mean([(0.5, 5000.0), (0.5, 0.0)]) == pytest.approx(5000 - log(2))
    assert averaging.log_mean([(0.0, 3.0)]) == -inf


def test_chance_is_not_taken_for_a_difference() -> None:
    """Charge points that differ by no more than chance weigh the same; where they differ much, each weighs its own rate."""
    alike = [(events, 28.0) for events in (1, 0, 1, 0, 1, 1, 0, 0)]
    assert len(set(baseline.rates(alike))) == 1
    unequal = baseline.rates([(0, 28.0)] * 9 + [(40, 28.0)])
    assert unequal[-1] > 50 * unequal[0] and unequal[-1] < 40 / 28
    assert baseline.rates([(0, 0.0)] * 3) == [1.0, 1.0, 1.0]


def test_weights_are_whole_numbers_of_every_signal() -> None:
    """Every charge point has a weight of at least 1 for every signal of time, and nonsense is refused."""
    made = baseline.weights({"A": History(events={Signal.BOOTS: 2}, days={Signal.BOOTS: 28.0}), "B": History()})
    assert all(weight >= 1 for each in made.values() for weight in each.values())
    with pytest.raises(ValueError, match="boots: a history has negative"):
        baseline.weights({"A": History(events={Signal.BOOTS: -1})})
