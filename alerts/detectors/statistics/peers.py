"""What all connectors together show: sums over the peers, made once for a judgement. Decided here: who counts, and how much.

Made in slices, so that no single array operation keeps an event loop in another thread waiting.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.history import History
from alerts.detectors.statistics.table import BINS, DAY_S, DAYS, FAILING, JUDGED, TRIED, Array

SLICE = 2000
MOST_PER_PEER = 150.0
HIGHEST_SHARE = 0.25
"""A peer that fails more often than this is sick, and no measure for others."""
FULL_PAST = 40
"""Charges in a histogram from which on it counts in full."""
_SHRINK = 60.0
"""Attempts of its own that the larger group's rate is worth."""
_SHRINK_DAYS = 28.0


class Peers:
    """Sums at `now` (UTC seconds). Arrays named by what they hold per row of the history."""

    def __init__(self, history: History, now: float) -> None:
        self._history, self._now = history, now
        codes = history.codes
        size, groups = codes.size, codes.cohort[: codes.size].copy()
        self.size = size
        """Rows that it knows; those that came later need new sums."""
        self.tried, self.failed, self.tries, self.days = (np.zeros(size) for _ in range(4))
        cohorts = int(groups.max(initial=0)) + 1
        self._histograms: Array = np.zeros((cohorts, BINS))
        for start in range(0, size, SLICE):
            rows = np.flatnonzero(codes.peer[start : min(start + SLICE, size)]) + start
            self._count(rows)
            shares, cells = self._shares(rows), groups[rows][:, None] * BINS + np.arange(BINS)
            self._histograms += np.bincount(cells.ravel(), shares.ravel(), cohorts * BINS).reshape(cohorts, BINS)
        self._cohorts = _Sums(groups, self.tries, self.days)
        levels = (np.zeros(size, np.int32), codes.model[:size].copy(), groups)
        self._levels = [_Sums(each, self.tried, self.failed) for each in levels]

    def failure_rate(self, rows: Array) -> Array:
        """Share of failed attempts among the peers of each row, twelve weeks, without the row itself: empirical Bayes in steps."""
        itself = self._history.codes.itself[rows]
        rate: Array = np.full(len(rows), (self.failed.sum() + 1.0) / (self.tried.sum() + 25.0))
        for level in self._levels:
            tried, failed = level.others(rows, itself)
            rate = (failed + _SHRINK * rate) / (tried + _SHRINK)
        return rate

    def tries_per_day(self, rows: Array) -> Array:
        """Attempts per day at other connectors of the same cohort, shrunk to the network: a guess where little is known."""
        overall = (self.tries.sum() + 1.0) / (self.days.sum() + 2.0)
        tries, days = self._cohorts.others(rows, self._history.codes.itself[rows])
        rate: Array = (tries + _SHRINK_DAYS * overall) / (days + _SHRINK_DAYS)
        return rate

    def histogram(self, rows: Array) -> Array:
        """The mean histogram of its cohort without itself, summing to 1; less where peers have little past."""
        codes = self._history.codes
        itself = codes.itself[rows]
        near = self._histograms[self._cohorts.groups[rows]] - np.where(codes.peer[itself][:, None], self._shares(itself), 0.0)
        weight: Array = np.maximum(near, 0.0).sum(axis=1, keepdims=True)
        mean: Array = np.maximum(near, 0.0) / np.maximum(weight, 1e-9) * np.minimum(weight, 1.0)
        return mean

    def _count(self, rows: Array) -> None:
        history, now = self._history, self._now
        judged = daily(history, rows, now, JUDGED).sum(axis=1)
        self.tried[rows] = np.minimum(judged, MOST_PER_PEER)
        share = daily(history, rows, now, FAILING).sum(axis=1) / np.maximum(judged, 1)
        self.failed[rows] = np.minimum(share, HIGHEST_SHARE) * self.tried[rows]
        self.tries[rows] = daily(history, rows, now, TRIED).sum(axis=1)
        first = np.nan_to_num(history.table.first[rows], nan=now)
        self.days[rows] = np.clip((now - first) / DAY_S, 0.0, DAYS)

    def _shares(self, rows: Array) -> Array:
        own = self._history.table.histogram[rows].astype(float)
        total = own.sum(axis=1, keepdims=True)
        shares: Array = own / np.maximum(total, 1) * np.minimum(total, FULL_PAST) / FULL_PAST
        return shares


class _Sums:
    """Two quantities summed over the groups of all rows."""

    def __init__(self, groups: Array, first: Array, second: Array) -> None:
        size = int(groups.max(initial=0)) + 1
        self.groups, self._rows = groups, (first, second)
        self._sums = tuple(np.bincount(groups, weights=each, minlength=size) for each in (first, second))

    def others(self, rows: Array, itself: Array) -> tuple[Array, Array]:
        """The sums of each row's group without the row itself."""
        groups = self.groups[rows]
        return self._sums[0][groups] - self._rows[0][itself], self._sums[1][groups] - self._rows[1][itself]


def daily(history: History, rows: Array, now: float, kind: int) -> Array:
    """Counts per UTC day of TRIED, JUDGED or FAILING attempts, rows × DAYS, today last."""
    days = np.arange(int(now // DAY_S) - DAYS + 1, int(now // DAY_S) + 1)
    newest = history.table.day[rows][:, None]
    known = (days > newest - DAYS) & (days <= newest)
    # Whole rows first, days after: half the cost of picking single counts.
    counts: Array = np.where(known, history.table.days[rows, kind][:, days % DAYS], 0)
    return counts
