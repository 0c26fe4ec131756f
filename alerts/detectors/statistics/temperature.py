"""Temperature against siblings. Decided here: when a connector runs hotter than the others of its kind and place, and than it did.

A difference of differences: how much the mean of its newest highs rose over its older ones, less the same rise at its siblings
(same charge point or same site and model; without them its cohort), who share its weather and season. z = rise / standard error
with the scatter of its own highs, p from Student's t by the bound of Hill (1970); e = p × tries per month.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.table import Array
from alerts.detectors.statistics.view import View

RECENT = 6
FEWEST_OLDER = 8
LEAST_RISE_C = 5.0
"""A smaller rise is nothing to send anybody for."""
LEAST_SCATTER_C = 2.0


class Temperature:
    """The rise of each row over its siblings, in °C."""

    def __init__(self, view: View) -> None:
        recent, older, scatter, enough = _means(view.records["temperature_c"], view.used)
        codes = view.history.codes
        everyone = np.flatnonzero(codes.peer[: codes.size])
        table = view.history.table
        used = np.arange(table.records.shape[1]) >= table.records.shape[1] - table.count[everyone][:, None]
        their_recent, their_older, _, theirs = _means(table.records["temperature_c"][everyone], used)
        rises = np.zeros(codes.size)
        known = np.zeros(codes.size)
        rises[everyone[theirs]] = (their_recent - their_older)[theirs]
        known[everyone[theirs]] = 1.0
        self.siblings: Array
        shared, self.siblings = _shared_rise(view, rises, known)
        self.rise_c: Array = np.where(enough, recent - older - shared, 0.0)
        self.recent_c = recent
        older_n = np.maximum(np.isfinite(view.records["temperature_c"]).sum(axis=1) - RECENT, 1)
        error = np.maximum(scatter, LEAST_SCATTER_C) * np.sqrt(
            1 / RECENT + 1 / older_n + 1 / (RECENT * np.maximum(self.siblings, 0.5))
        )
        p = _upper_tail(self.rise_c / error, older_n + RECENT - 2)
        hot = enough & (self.rise_c >= LEAST_RISE_C)
        self.e: Array = np.where(hot, p * view.tries_per_month, np.inf)


def _means(temperature: Array, used: Array) -> tuple[Array, Array, Array, Array]:
    """Mean of the RECENT newest highs, mean and scatter (robust) of the older ones, and whether there are enough."""
    known = used & np.isfinite(temperature)
    newer = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]
    recent, older = known & (newer <= RECENT), known & (newer > RECENT)
    value = np.where(known, temperature, 0.0).astype(float)
    recent_mean = (value * recent).sum(axis=1) / np.maximum(recent.sum(axis=1), 1)
    older_n = older.sum(axis=1)
    older_mean = (value * older).sum(axis=1) / np.maximum(older_n, 1)
    deviation = np.abs(value - older_mean[:, None]) * older
    scatter = 1.2533 * deviation.sum(axis=1) / np.maximum(older_n - 1, 1)  # mean absolute deviation → σ of a normal
    return recent_mean, older_mean, scatter, (recent.sum(axis=1) >= RECENT) & (older_n >= FEWEST_OLDER)


def _shared_rise(view: View, rises: Array, known: Array) -> tuple[Array, Array]:
    """The mean rise of the nearest siblings there are, and how many they are (0: none, and no rise to take off)."""
    codes = view.history.codes
    place = np.where(codes.site[: codes.size] >= 0, codes.site[: codes.size].astype(np.int64), 0)
    site_model = place * (int(codes.model[: codes.size].max(initial=0)) + 1) + codes.model[: codes.size]
    itself = codes.itself[view.rows]
    shared, siblings = np.zeros(len(view.rows)), np.zeros(len(view.rows))
    for group in (codes.cohort[: codes.size], site_model, codes.charge_point[: codes.size]):
        size = int(group.max(initial=0)) + 1
        count = np.bincount(group, weights=known, minlength=size)[group[view.rows]] - known[itself]
        total = np.bincount(group, weights=rises, minlength=size)[group[view.rows]] - rises[itself]
        found = count > 0
        shared = np.where(found, total / np.maximum(count, 1), shared)
        siblings = np.where(found, count, siblings)
    return shared, siblings


def _upper_tail(t: Array, freedom: Array) -> Array:
    """P(T > t): Student's t brought to a normal by Hill's first-order transform, and the normal's tail bound φ(z)/z for large z."""
    n = freedom.astype(float)
    z = np.sqrt(np.maximum(n * np.log1p(t * t / np.maximum(n, 1.0)), 0.0) * np.maximum(1.0 - 3.0 / (4.0 * np.maximum(n, 1.0)), 0.1))
    tail: Array = np.where(t > 0, np.minimum(0.5, np.exp(-z * z / 2) / (np.maximum(z, 0.4) * np.sqrt(2 * np.pi))), 1.0)
    return tail
