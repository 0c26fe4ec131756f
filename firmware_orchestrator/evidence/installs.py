"""Do more than an acceptable share of installations fail? Decided here: the bet on single outcomes, without a control group.

Against p ≤ p0, after k failures of n: the mean of (p/p0)^k·((1−p)/(1−p0))^(n−k) over p uniform in (p0, 1), which is

    E = B(k+1, n−k+1)·(1 − I_p0(k+1, n−k+1)) / (p0^k·(1−p0)^(n−k)·(1−p0))

with B the beta function and I its regularised incomplete form, for whole numbers a binomial tail.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p


def log_e(failures: int, finished: int, p0: float) -> float:
    """log E after `failures` of `finished` installations. Raises ValueError when they cannot be counts of each other."""
    if not 0 <= failures <= finished:
        raise ValueError(f"{failures} failures of {finished} installations")
    if finished == 0:
        return 0.0
    passed = finished - failures
    log_beta = lgamma(failures + 1) + lgamma(passed + 1) - lgamma(finished + 2)
    return log_beta + _log_tail(failures, finished + 1, p0) - failures * log(p0) - (passed + 1) * log1p(-p0)


def _log_tail(at_most: int, trials: int, p: float) -> float:
    """log P(Binomial(trials, p) ≤ at_most), which is log(1 − I_p(at_most + 1, trials − at_most))."""
    logs = [
        lgamma(trials + 1) - lgamma(i + 1) - lgamma(trials - i + 1) + i * log(p) + (trials - i) * log1p(-p)
        for i in range(at_most + 1)
    ]
    top = max(logs)
    return min(0.0, top + log(sum(exp(each - top) for each in logs)))
