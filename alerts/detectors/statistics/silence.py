"""Silence. Decided here: how long nobody may come before chance does not explain it (Gamma–Poisson).

Attempts come at a rate per day of exposure (alerts/detectors/statistics/activity.py), Gamma(α, β) with α = w·r + n, β = w + E: n
attempts over exposure E of its own, newer days weighing more, and w days at the mean rate r of its cohort. The chance that
nobody comes during an exposure x is (β / (β + x))^α (Gelman et al., §2.6: the negative binomial predictive), e = p × gaps a month.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.activity import HOUR_S, WEEK_H
from alerts.detectors.statistics.table import DAYS, TRIED, WINDOW, Array
from alerts.detectors.statistics.view import MONTH_DAYS, View

HALF_LIFE_DAYS = 84.0
CHUNK = 1000
"""Rows at a time: their hours take 16 MB."""
FEWEST = 4
"""Attempts without which nothing is known of a connector's rate."""


class Silence:
    """How unlikely each row's present silence is."""

    def __init__(self, view: View) -> None:
        size = len(view.rows)
        self.e: Array = np.full(size, np.inf)
        self.rate: Array = np.zeros(size)
        """Attempts expected per day of exposure."""
        self.expected: Array = np.zeros(size)
        """Attempts expected since the last one ended."""
        self.since: Array = view.records["ended"].max(axis=1)
        waiting = view.history.codes.waiting_since[view.rows]
        self.since = np.fmax(self.since, waiting)
        held = view.history.codes.held[view.rows]
        fresh = ~held & (view.count >= FEWEST) & (self.since < view.now)
        rows = np.flatnonzero(fresh)
        for start in range(0, len(rows), CHUNK):
            self._score(view, rows[start : start + CHUNK])

    def _score(self, view: View, at: Array) -> None:
        history = view.history
        own = view.daily(TRIED)[at].astype(float)
        hourly = _exposure(view, at, own)
        grid = history.activity.grid(view.now)
        first = np.nan_to_num(history.table.first[view.rows[at]], nan=view.now)
        last = view.records["began"][at, WINDOW - 1]
        behind = grid[None, :] * HOUR_S
        reference = (behind >= first[:, None]) & (behind <= last[:, None])
        weight = 0.5 ** ((grid[-1] - grid) / 24.0 / HALF_LIFE_DAYS)
        exposure = (hourly * reference * weight).sum(axis=1) / 24.0
        day_weight = 0.5 ** (np.arange(DAYS)[::-1] / HALF_LIFE_DAYS)
        seen = (own * day_weight).sum(axis=1)
        since = self.since[at]
        part = np.clip((behind + HOUR_S - since[:, None]) / HOUR_S, 0.0, 1.0)
        part[:, -1] *= (view.now - behind[0, -1]) / HOUR_S
        part[:, -1] = np.minimum(part[:, -1], np.maximum(0.0, view.now - since) / HOUR_S)
        gap = (hourly * part).sum(axis=1) / 24.0
        prior = view.settings.silence_weight_days
        alpha = prior * view.peers.tries_per_day(view.rows[at]) + seen
        beta = prior + exposure
        self.rate[at] = alpha / beta
        self.expected[at] = self.rate[at] * gap
        silent = alpha * (np.log(beta) - np.log(beta + gap))
        self.e[at] = np.exp(silent) * np.maximum(self.rate[at] * MONTH_DAYS, 1.0)


def _exposure(view: View, at: Array, own: Array) -> Array:
    """Exposure of each hour of the grid, rows × HOURS: the site's week times what the network's lulls leave of it."""
    activity = view.history.activity
    grid = activity.grid(view.now)
    shapes = activity.week_shapes(view.history.codes.site[view.rows[at]])[:, grid % WEEK_H]
    per_day, per_hour = activity.lulls(view.now, own)
    day = grid // 24 - grid[-1] // 24 + DAYS - 1
    hours: Array = shapes * np.where(day >= 0, per_day[:, np.maximum(day, 0)], 1.0) * per_hour
    return hours
