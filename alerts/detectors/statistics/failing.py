"""Failed and zero-energy attempts. Decided here: how many failures, by how many drivers, are more than chance at its peers.

For every number k of newest visits: f of them failed; p = P(X ≥ f) by the beta-binomial with the peers' rate. The strongest k
counts; e = p × tries per month. Failures beyond the second of one token count no further (one broken car is no broken
connector), unless that token is most of who comes. Three good visits in a row end it. Only peers set the rate, never the
connector's own past, so one more failure can only raise the score.
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.betabinomial import log_tail
from alerts.detectors.statistics.table import EMPTY, WINDOW, Array
from alerts.detectors.statistics.view import View

LONGEST = 24
"""Visits looked back over."""
RECOVERED = 3
PER_TOKEN = 2
HOME_SHARE = 0.6
STREAK_SHARE = 0.8
"""From this share of failures on, a connector gives nothing at all rather than now and then."""
FEWEST = 4
"""Three failures in a row happen by chance somewhere in a network every day; nobody is sent for fewer than four."""


class Failing:
    """The strongest suffix of visits of each row. `e` is infinite where nothing is to say."""

    def __init__(self, view: View, *, only_empty: bool) -> None:
        size = len(view.rows)
        self.e: Array = np.full(size, np.inf)
        self.tries: Array = np.zeros(size, np.int64)
        self.failures: Array = np.zeros(size, np.int64)
        self.drivers: Array = np.zeros(size, np.int64)
        self.since: Array = np.full(size, WINDOW - 1)
        """Slot of the oldest failure of the suffix."""
        stands, failed = view.visits
        stands, failed = stands.copy(), failed.copy()
        if only_empty:
            failed &= view.records["outcome"] == EMPTY
        worth = np.flatnonzero((failed.sum(axis=1) >= FEWEST) & ~_recovered(stands, failed))
        if len(worth):
            self._score(view, worth, stands[worth], failed[worth], only_empty)

    def _score(self, view: View, worth: Array, stands: Array, failed: Array, only_empty: bool) -> None:
        """Suffix sums run from the newest visit back; column j holds the suffix that begins at slot WINDOW − 1 − j."""
        token = view.records["token"][worth]
        stands, failed = _capped(stands, failed, token)
        tries = np.cumsum(stands[:, ::-1], axis=1)
        failures = np.cumsum(failed[:, ::-1], axis=1)
        usable = failed[:, ::-1] & (tries <= LONGEST) & (failures >= FEWEST)
        if only_empty:
            usable &= failures >= STREAK_SHARE * tries
        a, b = view.failure_prior
        shown = np.where(usable, tries, 0)
        logs = np.where(usable, log_tail(shown, np.where(usable, failures, 0), a[worth], b[worth], LONGEST), np.inf)
        best = np.argmin(logs, axis=1)
        at = np.arange(len(worth))
        self.e[worth] = np.exp(logs[at, best]) * view.tries_per_month[worth]
        self.tries[worth], self.failures[worth] = tries[at, best], failures[at, best]
        self.since[worth] = WINDOW - 1 - best
        inside = failed & (np.arange(WINDOW) >= self.since[worth][:, None])
        self.drivers[worth] = _distinct(token, inside)


def _recovered(stands: Array, failed: Array) -> Array:
    """The newest RECOVERED visits all served their drivers."""
    good_since = np.cumsum(stands[:, ::-1], axis=1) <= RECOVERED
    recovered: Array = ~(failed[:, ::-1] & good_since & stands[:, ::-1]).any(axis=1) & (stands.sum(axis=1) >= RECOVERED)
    return recovered


def _capped(stands: Array, failed: Array, token: Array) -> tuple[Array, Array]:
    """Without failures of a token that failed PER_TOKEN times since, unless most tries are its own. Token 0: each is another."""
    same = (token[:, :, None] == token[:, None, :]) & (token != 0)[:, :, None] & stands[:, :, None] & stands[:, None, :]
    later = np.triu(np.ones((WINDOW, WINDOW), np.bool_), 1)
    failed_since = (same & failed[:, None, :] & later).sum(axis=2)
    share = same.sum(axis=2).max(axis=1) / np.maximum(stands.sum(axis=1), 1)
    beyond = failed & (failed_since >= PER_TOKEN) & (share < HOME_SHARE)[:, None]
    return stands & ~beyond, failed & ~beyond


def _distinct(token: Array, inside: Array) -> Array:
    """How many drivers the failures hit: different tokens, and everybody who is not named."""
    same = (token[:, :, None] == token[:, None, :]) & inside[:, :, None] & inside[:, None, :] & (token != 0)[:, :, None]
    earlier = np.tril(np.ones((WINDOW, WINDOW), np.bool_), -1)
    repeated = (same & earlier).any(axis=2)
    drivers: Array = (inside & ~repeated).sum(axis=1)
    return drivers
