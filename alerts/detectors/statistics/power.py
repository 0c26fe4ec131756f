"""Delivered against offered power. Decided here: when a connector gives less than it used to, and the cars are not the reason.

x = log2(mean power / offered power) of attempts whose pace the connector set. In control x follows the histogram of the
connector's own past, shrunk to its cohort. Nine ways to be derated are thought of: what exceeded a limit comes at the limit (71
to 30 % of its usual best; cars that take less do not notice), or everything comes lower by the same factor (as where charge
points tell energy alone). One CUSUM of the log-likelihood ratio for each, S = max(0, S + ln f₁(x) − ln f₀(x)) (Page 1954), over
the window in order of time. Chance lets one of them reach h at most once in e^h attempts (Lorden 1971), so e = 9 × attempts of
known pace a month × exp(−S).
"""

from __future__ import annotations

import numpy as np

from alerts.detectors.statistics.table import BINS, LOWEST_LOG2, PER_OCTAVE, WINDOW, Array
from alerts.detectors.statistics.view import View

PEER_WEIGHT = 12.0
"""Attempts of its own that the peers' histogram is worth."""
FLOOR = 0.02
"""Share of the histogram spread evenly: one odd reading proves nothing."""
LARGEST_STEP = 2.0
RECENT = 12
"""The newest attempts are judged by what was before them: twelve, or the whole window where the past behind it is long enough."""
LONG_PAST = 20
FEWEST_BEFORE = 8.0
BEST = 0.85
"""Quantile of its past that stands for what it can give."""
LIMITS_BINS = (2, 3, 4, 5, 6, 7)
"""Limits thought of, in quarter octaves below its best: from 71 to 30 %."""
SHIFTS_BINS = (3, 4, 6)
"""Losses of all sessions alike, in quarter octaves: to 59, 50 and 35 %."""
CHUNK = 5000
"""Rows at a time: their densities take 11 MB a hypothesis."""


class Power:
    """The strongest CUSUM of each row."""

    def __init__(self, view: View) -> None:
        size = len(view.rows)
        x = view.records["log2_power"]
        known = view.used & np.isfinite(x)
        bins = np.clip(((np.nan_to_num(x) - LOWEST_LOG2) * PER_OCTAVE).astype(np.int64), 0, BINS - 1)
        self.before: Array = _own(view, bins, known)
        self.cusum: Array = np.zeros(size)
        self.since: Array = np.full(size, WINDOW - 1)
        """Slot where the CUSUM last left zero."""
        reference = self.before + PEER_WEIGHT * view.peers.histogram(view.rows)
        enough = (reference.sum(axis=1) >= FEWEST_BEFORE) & known.any(axis=1)
        rows = np.flatnonzero(enough)
        for start in range(0, len(rows), CHUNK):
            at = rows[start : start + CHUNK]
            self.cusum[at], self.since[at] = _cusum(_densities(reference[at]), bins[at], known[at])
        self.offered: Array = np.any(view.records["offered"] > 0, axis=1)
        """The offer is reported; else its power is compared with a constant, and cars weigh more."""
        share = known.sum(axis=1) / np.maximum(view.count, 1)
        tries = view.tries_per_month * share * (len(LIMITS_BINS) + len(SHIFTS_BINS))
        self.e: Array = np.where(self.cusum > 0.0, np.exp(-self.cusum) * tries, np.inf)


def _cusum(density: Array, bins: Array, known: Array) -> tuple[Array, Array]:
    """(highest, slot where it left zero) of the rows' CUSUMs, each against one derated density."""
    logs = np.log(density)
    highest, began = np.zeros(len(bins)), np.full(len(bins), WINDOW - 1)
    rows = np.arange(len(bins))
    for derated in _derated(density):
        steps = np.clip(np.log(derated) - logs, -LARGEST_STEP, LARGEST_STEP)
        total, since = np.zeros(len(bins)), np.full(len(bins), WINDOW - 1)
        for slot in range(WINDOW):
            step = np.where(known[:, slot], steps[rows, bins[:, slot]], 0.0)
            since = np.where((total <= 0.0) & (step > 0.0), slot, since)
            total = np.maximum(0.0, total + step)
        higher = total > highest
        highest, began = np.where(higher, total, highest), np.where(higher, since, began)
    return highest, began


def _own(view: View, bins: Array, known: Array) -> Array:
    """Its own past: what left the window, and where that is little, what is older than its newest RECENT attempts of known pace."""
    counts = view.history.table.histogram[view.rows].astype(float)
    newer = np.cumsum(known[:, ::-1], axis=1)[:, ::-1]
    older = known & (newer > RECENT) & (counts.sum(axis=1) < LONG_PAST)[:, None]
    row = np.broadcast_to(np.arange(len(view.rows))[:, None], bins.shape)
    np.add.at(counts, (row[older], bins[older]), 1.0)
    return counts


def _densities(reference: Array) -> Array:
    """The histogram in control, smoothed over a quarter of an octave to each side, nowhere zero."""
    smooth = 0.5 * reference
    smooth[:, 1:] += 0.25 * reference[:, :-1]
    smooth[:, :-1] += 0.25 * reference[:, 1:]
    density = smooth / np.maximum(smooth.sum(axis=1, keepdims=True), 1e-9)
    made: Array = (1 - FLOOR) * density + FLOOR / BINS
    return made


def _derated(density: Array) -> list[Array]:
    """The derated histograms that are thought of."""
    size = len(density)
    made = [np.concatenate([density[:, by:], np.full((size, by), FLOOR / BINS)], axis=1) for by in SHIFTS_BINS]
    best = np.argmax(np.cumsum(density, axis=1) >= BEST, axis=1)
    bins = np.arange(BINS)[None, :]
    for lower in LIMITS_BINS:
        limit = np.maximum(best - lower, 1)[:, None]
        cut = np.where(bins > limit, FLOOR / BINS, density)
        beyond = np.where(bins > limit, density - FLOOR / BINS, 0.0).sum(axis=1, keepdims=True)
        for offset, share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
            cut = cut + np.where(bins == limit + offset, share * beyond, 0.0)
        made.append(cut)
    return made
