"""What the detectors are measured against. Decided here: the fixed thresholds that operators use, in a form that can be fitted.

Each gives a level, smaller is stronger, so that its threshold is fitted to the same false-alarm budget as ours: one over the
number of empty attempts in a row, of failures among the last ten, of days without an attempt, and the median power of the last
five attempts against the median before.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from alerts.detectors.statistics.table import DAY_S, EMPTY, FAILED, WINDOW, Array
from alerts.detectors.statistics.view import View


def empty_in_a_row(view: View) -> Array:
    """1 / how many of the newest attempts gave nothing, without one that did."""
    empty = view.used & (view.records["outcome"] == EMPTY)
    run = np.cumprod(empty[:, ::-1], axis=1).sum(axis=1)
    return _one_over(run)


def failed_of_ten(view: View) -> Array:
    """1 / how many of the newest ten failed."""
    outcome = view.records["outcome"][:, WINDOW - 10 :]
    failed = view.used[:, WINDOW - 10 :] & ((outcome == EMPTY) | (outcome == FAILED))
    return _one_over(failed.sum(axis=1))


def weak_power(view: View) -> Array:
    """Median power over the offer of the newest five attempts of known pace, against the median of those before."""
    power = np.where(view.used, view.records["log2_power"], np.nan)
    known = np.isfinite(power)
    newer = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]
    recent = np.where(known & (newer <= 5), power, np.nan)
    older = np.where(known & (newer > 5), power, np.nan)
    enough = (known.sum(axis=1) >= 13) & known[:, -1]
    level = np.full(len(power), np.inf)
    if enough.any():
        level[enough] = 2.0 ** (np.nanmedian(recent[enough], axis=1) - np.nanmedian(older[enough], axis=1))
    return level


def silent_days(view: View) -> Array:
    """1 / days since the last attempt."""
    days = (view.now - view.records["ended"].max(axis=1)) / DAY_S
    return _one_over(np.where(view.count >= 4, days, 0.0))


def _one_over(number: Array) -> Array:
    level: Array = np.where(number > 0, 1.0 / np.maximum(number, 1e-9), np.inf)
    return level


ATTEMPT_BASELINES: dict[str, Callable[[View], Array]] = {
    "fixed: zero_energy": empty_in_a_row,
    "fixed: failing_attempts": failed_of_ten,
    "fixed: power_derated": weak_power,
}
