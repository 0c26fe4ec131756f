"""What the tests look at: some rows of the history at one instant. Decided here: visits, tries per month and peers' failure rates.

Built once per judgement and shared by all tests. Nothing of a row's own goes into what its peers are said to do.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from alerts.detectors.statistics.history import History
from alerts.detectors.statistics.peers import Peers, daily
from alerts.detectors.statistics.settings import StatisticsSettings
from alerts.detectors.statistics.table import (
    DAY_S,
    DAYS,
    EMPTY,
    FAILED,
    TRIED,
    UNJUDGED,
    WINDOW,
    Array,
)

MONTH_DAYS = 365.25 / 12
VISIT_S = 1800.0
"""Tries of one token within half an hour of each other are one driver's visit."""
LOWEST_RATE, HIGHEST_RATE = 0.004, 0.25


class View:
    """Rows of the table at `now` (UTC seconds). Arrays are aligned with `rows`."""

    def __init__(self, history: History, rows: Array, now: float, settings: StatisticsSettings, peers: Peers | None = None) -> None:
        """`peers`: those of the whole judgement, where this is a part of it."""
        self._given_peers = peers
        self.history, self.rows, self.now, self.settings = history, rows, now, settings
        self.records: Array = history.table.records[rows]
        self.count: Array = history.table.count[rows]
        self.used: Array = np.arange(WINDOW) >= WINDOW - self.count[:, None]

    def daily(self, kind: int) -> Array:
        """Counts per UTC day of TRIED, JUDGED or FAILING, rows × DAYS, today last."""
        return daily(self.history, self.rows, self.now, kind)

    @cached_property
    def peers(self) -> Peers:
        """What all connectors together show."""
        return Peers(self.history, self.now) if self._given_peers is None else self._given_peers

    @cached_property
    def observed_days(self) -> Array:
        """Days since the first attempt ever, at most DAYS."""
        first = np.nan_to_num(self.history.table.first[self.rows], nan=self.now)
        days: Array = np.clip((self.now - first) / DAY_S, 0.0, DAYS)
        return days

    @cached_property
    def tries_per_month(self) -> Array:
        """How often somebody tries, from twelve weeks, shrunk to two tries a week where little is known."""
        tries: Array = (self.daily(TRIED).sum(axis=1) + 2.0) / (self.observed_days + 7.0) * MONTH_DAYS
        return tries

    @cached_property
    def visits(self) -> tuple[Array, Array]:
        """(stands, failed): which slots stand for a visit (its newest), and whether everything in that visit failed."""
        outcome, token = self.records["outcome"], self.records["token"]
        judged = self.used & (outcome != UNJUDGED)
        failing = judged & ((outcome == FAILED) | (outcome == EMPTY))
        stands, failed = judged.copy(), failing.copy()
        began, ended = self.records["began"], self.records["ended"]
        for at in range(1, WINDOW):
            same = judged[:, at] & judged[:, at - 1] & (token[:, at] != 0) & (token[:, at] == token[:, at - 1])
            same &= began[:, at] - ended[:, at - 1] <= VISIT_S
            failed[:, at] &= ~same | failed[:, at - 1]
            stands[:, at - 1] &= ~same
        return stands, failed & stands

    @cached_property
    def failure_prior(self) -> tuple[Array, Array]:
        """Beta(a, b) of the share of failed attempts at its peers: own cohort, shrunk to the model, shrunk to everybody."""
        rate = np.clip(self.peers.failure_rate(self.rows), LOWEST_RATE, HIGHEST_RATE)
        weight = self.settings.peer_weight
        return rate * weight, (1.0 - rate) * weight
