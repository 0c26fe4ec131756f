"""How busy the network and each site are by hour. Decided here: what exposure is, time as drivers make use of it.

A quiet night, a holiday or an outage of the whole network says nothing about one connector. An hour's exposure is the site's usual
share of its week (shrunk to the network's), times how busy the network was in that hour against its usual (at most 1, itself left
out); a usual week has 168 hours of exposure.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.table import DAYS, Array

HOUR_S, WEEK_H = 3600.0, 168
WEEKS = DAYS // 7
HOURS = DAYS * 24
NETWORK = 0
"""The row of the whole network; sites follow."""
_SITE_WEIGHT = 200.0
"""Attempts of its own that the network's week is worth to a site."""
_UNIFORM_WEIGHT = 500.0
_LULL_WEIGHT = 10.0
"""Attempts that must be missing before a lull of the network is believed."""


class Activity:
    """Attempts begun per hour, for the network and its sites, over the last twelve weeks."""

    def __init__(self) -> None:
        self.hours: Array = np.zeros((16, HOURS), np.uint32)
        """Slot = hours since the epoch, modulo HOURS."""
        self.rows = 1
        self.newest = -1
        self.oldest = -1

    def add_row(self) -> int:
        """A new site."""
        if self.rows == len(self.hours):
            self.hours = np.concatenate([self.hours, np.zeros_like(self.hours)])
        self.rows += 1
        return self.rows - 1

    def add(self, site: int | None, began: float) -> None:
        """One attempt that began at `began` (UTC seconds)."""
        hour = int(began // HOUR_S)
        self.advance(hour)
        if hour <= self.newest - HOURS:
            return
        self.oldest = hour if self.oldest < 0 else min(self.oldest, hour)
        self.hours[NETWORK, hour % HOURS] += 1
        if site is not None:
            self.hours[site, hour % HOURS] += 1

    def advance(self, hour: int) -> None:
        """Make room for `hour`: what is twelve weeks old is forgotten."""
        if self.newest < 0:
            self.newest = hour
        for each in range(max(self.newest + 1, hour - HOURS + 1), hour + 1):
            self.hours[:, each % HOURS] = 0
        self.newest = max(self.newest, hour)
        self.oldest = max(self.oldest, self.newest - HOURS + 1) if self.oldest >= 0 else -1

    def grid(self, now: float) -> Array:
        """The hours (since the epoch) that exposure is known for, oldest first, the current one last."""
        return np.arange(int(now // HOUR_S) - HOURS + 1, int(now // HOUR_S) + 1)

    def week_shapes(self, sites: Array) -> Array:
        """Per site its usual week, 168 factors with mean 1. sites: rows, -1 for none."""
        folded = self.hours[: self.rows].reshape(self.rows, WEEKS, WEEK_H).sum(axis=1).astype(float)
        network = folded[NETWORK] + _UNIFORM_WEIGHT / WEEK_H
        network *= WEEK_H / network.sum()
        own = np.where((sites >= 0)[:, None], folded[sites], 0.0)
        blended = own + _SITE_WEIGHT / WEEK_H * network
        shapes: Array = blended * (WEEK_H / blended.sum(axis=1, keepdims=True))
        return shapes

    def lulls(self, now: float, own: Array) -> tuple[Array, Array]:
        """How busy the network was against its usual: per row and day (rows × DAYS, without the row's own attempts), and per hour.

        own: the rows' attempts per UTC day, oldest first, aligned with the days of `grid`. Never above 1.
        """
        hours = self.grid(now)
        known = (hours >= self.oldest) & (self.oldest >= 0)  # hours after the newest attempt are empty ones, not unknown ones
        seen = np.where(known & (hours <= self.newest), self.hours[NETWORK, hours % HOURS], 0).astype(float)
        shape = self.week_shapes(np.array([-1]))[0][hours % WEEK_H] * known
        usual = seen.sum() / max(shape.sum(), 1.0) * shape
        day = hours // 24 - hours[-1] // 24 + own.shape[1] - 1
        inside = day >= 0
        day_seen = np.bincount(day[inside], weights=seen[inside], minlength=own.shape[1])
        day_usual = np.bincount(day[inside], weights=usual[inside], minlength=own.shape[1])
        share = own.sum(axis=1, keepdims=True) / max(seen.sum(), 1.0)
        others = np.maximum(day_seen - own, 0.0) + _LULL_WEIGHT
        per_day = np.minimum(1.0, others / (day_usual * (1.0 - np.minimum(share, 1.0)) + _LULL_WEIGHT))
        network_day = np.minimum(1.0, (day_seen + _LULL_WEIGHT) / (day_usual + _LULL_WEIGHT))[np.maximum(day, 0)]
        per_hour = np.minimum(1.0, (seen + 2 * _LULL_WEIGHT * network_day) / (usual + 2 * _LULL_WEIGHT)) / network_day
        return per_day, per_hour
