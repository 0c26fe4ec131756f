"""The mean temperature of each model by day: season and weather as its connectors see them. Decided here: how it is smoothed."""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.table import DAY_S, DAYS, Array

NEAREST_DAYS = (0, -1, 1, -2, 2, -3, 3)
ENOUGH = 12.0
"""Readings: further days are asked only while there are fewer, so that a heat wave is known on its first day."""


class Weather:
    """Sums and counts of the highest temperatures of attempts, per model and UTC day, over twelve weeks."""

    def __init__(self) -> None:
        self.sums: Array = np.zeros((8, DAYS))
        self.counts: Array = np.zeros((8, DAYS))
        self.newest = -1

    def add(self, model: int, began: float, temperature_c: float) -> None:
        """One attempt's highest temperature."""
        day = int(began // DAY_S)
        self.make_room(model)
        if self.newest < 0:
            self.newest = day
        for each in range(max(self.newest + 1, day - DAYS + 1), day + 1):
            self.sums[:, each % DAYS] = self.counts[:, each % DAYS] = 0.0
        self.newest = max(self.newest, day)
        if day > self.newest - DAYS:
            self.sums[model, day % DAYS] += temperature_c
            self.counts[model, day % DAYS] += 1.0

    def make_room(self, model: int) -> None:
        """A row for the model."""
        while model >= len(self.sums):
            self.sums, self.counts = (np.concatenate([each, np.zeros_like(each)]) for each in (self.sums, self.counts))

    def usual(self, models: Array, began: Array) -> Array:
        """What the model showed on the day of each instant, or around it; NaN where it showed nothing. models: n; began: n × k."""
        day = (began // DAY_S).astype(np.int64)
        total, count = np.zeros(began.shape), np.zeros(began.shape)
        rows = np.minimum(models, len(self.sums) - 1)[:, None]
        for offset in NEAREST_DAYS:
            there = day + offset
            known = (count < ENOUGH) & (there > self.newest - DAYS) & (there <= self.newest) & (models < len(self.sums))[:, None]
            total += np.where(known, self.sums[rows, there % DAYS], 0.0)
            count += np.where(known, self.counts[rows, there % DAYS], 0.0)
        usual: Array = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
        return usual
