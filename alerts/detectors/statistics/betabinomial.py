"""The beta-binomial tail. Decided here: how likely chance gives this many failures when the true rate is itself uncertain.

P(X ≥ f | k tries, rate ~ Beta(a, b)), the posterior predictive of a binomial with a conjugate prior (Gelman et al., Bayesian Data
Analysis, §2.4 and §5.3). Integer k and f, so gamma functions become running sums of logarithms.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.table import Array


def log_tail(tries: Array, failures: Array, a: Array, b: Array, longest: int) -> Array:
    """Natural log of P(X ≥ failures) for arrays of rows × suffixes; a, b: one per row. 0 where nothing failed.

    tries and failures: integers ≤ `longest`, failures ≤ tries.
    """
    steps = np.arange(longest)
    rising_a = _running(np.log(a[:, None] + steps))
    rising_b = _running(np.log(b[:, None] + steps))
    rising_ab = _running(np.log((a + b)[:, None] + steps))
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, longest + 1)))])
    rows = np.arange(len(a))[:, None]
    total = np.full(tries.shape, -np.inf)
    for more in range(longest + 1):
        x = failures + more
        inside = x <= tries
        if not inside.any():
            break
        at = np.where(inside, x, tries)
        choose = factorial[tries] - factorial[at] - factorial[tries - at]
        term = choose + rising_a[rows, at] + rising_b[rows, tries - at] - rising_ab[rows, tries]
        total = np.where(inside, np.logaddexp(total, term), total)
    tail: Array = np.where(failures <= 0, 0.0, np.minimum(total, 0.0))
    return tail


def _running(logs: Array) -> Array:
    return np.concatenate([np.zeros((len(logs), 1)), np.cumsum(logs, axis=1)], axis=1)
