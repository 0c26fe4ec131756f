"""Temperature against siblings. Decided here: when a connector runs hotter than others of its model do, and than it did itself.

Of each attempt's highest temperature, what its model showed in the same week is taken off (season and weather), and what its load
explains: a slope on (power / offer)², for heat is I²R, estimated from its own window and shrunk. The mean of the newest RECENT
against the mean of the older ones, over the standard error from the scatter of the older ones: z, and p = P(Z > z) by the
normal's tail bound φ(z) / z, with z brought down from Student's t (Hill 1970). e = p × tries per month.
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
LOAD_SHRINK = 0.5
"""Variance of the load, times attempts, that must be seen before it explains half of what it could."""


class Temperature:
    """The rise of each row over what its model and its load explain, in °C."""

    def __init__(self, view: View) -> None:
        codes = view.history.codes
        temperature, began = view.records["temperature_c"].astype(float), view.records["began"]
        rest = temperature - view.history.weather.usual(codes.model[view.rows], began)
        known = view.used & np.isfinite(rest)
        rest = _without_load(np.where(known, rest, 0.0), view.records["log2_power"], known)
        newer = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]
        recent, older = known & (newer <= RECENT), known & (newer > RECENT)
        older_n = older.sum(axis=1)
        before = (rest * older).sum(axis=1) / np.maximum(older_n, 1)
        self.rise_c: Array = (rest * recent).sum(axis=1) / RECENT - before
        squares = ((rest - before[:, None]) ** 2 * older).sum(axis=1)
        scatter = np.sqrt(squares / np.maximum(older_n - 2, 1))
        error = np.maximum(scatter, LEAST_SCATTER_C) * np.sqrt(1 / RECENT + 1 / np.maximum(older_n, 1))
        enough = (recent.sum(axis=1) >= RECENT) & (older_n >= FEWEST_OLDER) & (self.rise_c >= LEAST_RISE_C)
        p = _upper_tail(self.rise_c / error, older_n - 2)
        self.e: Array = np.where(enough, p * view.tries_per_month, np.inf)
        self.recent_c: Array = np.where(recent, temperature, 0.0).sum(axis=1) / RECENT
        self.siblings: Array = _siblings(view)


def _without_load(rest: Array, log2_power: Array, known: Array) -> Array:
    """Take off what (power / offer)² explains, by a slope that is never negative."""
    load = np.where(known & np.isfinite(log2_power), 4.0 ** np.nan_to_num(log2_power), 0.0)
    both = known & np.isfinite(log2_power)
    n = np.maximum(both.sum(axis=1, keepdims=True), 1)
    load_mean = (load * both).sum(axis=1, keepdims=True) / n
    rest_mean = (rest * both).sum(axis=1, keepdims=True) / n
    from_mean = np.where(both, load - load_mean, 0.0)
    together = (from_mean * (rest - rest_mean)).sum(axis=1, keepdims=True)
    slope = np.maximum(together, 0.0) / ((from_mean**2).sum(axis=1, keepdims=True) + LOAD_SHRINK)
    cleared: Array = rest - slope * from_mean
    return cleared


def _siblings(view: View) -> Array:
    """How many other connectors of the model there are."""
    codes = view.history.codes
    models = codes.model[: codes.size]
    counts = np.bincount(models, weights=codes.peer[: codes.size])
    siblings: Array = (counts[models[view.rows]] - codes.peer[codes.itself[view.rows]]).astype(np.int64)
    return siblings


def _upper_tail(t: Array, freedom: Array) -> Array:
    """P(T > t) for Student's t, brought to a normal by Hill's transform."""
    n = np.maximum(freedom.astype(float), 1.0)
    z = np.sqrt(np.maximum(n * np.log1p(t * t / n), 0.0) * np.maximum(1.0 - 3.0 / (4.0 * n), 0.1))
    tail: Array = np.where(t > 0, np.minimum(0.5, np.exp(-z * z / 2) / (np.maximum(z, 0.4) * np.sqrt(2 * np.pi))), 1.0)
    return tail
