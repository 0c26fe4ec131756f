"""How sure a share is. Decided here: bootstrap over connectors, and the rule of three where there is nothing to resample.

Events at one connector are not independent, so whole connectors are drawn with replacement (Efron and Tibshirani 1993, §8); the
interval is the middle 95 % of 1,000 draws. Where all events, or none, agree, every draw says the same: then the bound is 3 / n
(Hanley and Lippman-Hand 1983).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

DRAWS = 1000


class Interval(msgspec.Struct, frozen=True):
    """A share or a rate with its 95 % interval."""

    value: float
    low: float
    high: float


def share(outcomes: Sequence[tuple[int, bool]], seed: int) -> Interval | None:
    """Of (connector, whether): the share that is so. None without outcomes."""
    if not outcomes:
        return None
    n = len(outcomes)
    found = sum(whether for _, whether in outcomes)
    if found in (0, n):
        return Interval(found / n, max(0.0, 1 - 3 / n) if found else 0.0, 1.0 if found else min(1.0, 3 / n))
    connectors = sorted({connector for connector, _ in outcomes})
    hits = np.array([sum(whether for who, whether in outcomes if who == each) for each in connectors], float)
    sizes = np.array([sum(who == each for who, _ in outcomes) for each in connectors], float)
    return _drawn(hits, sizes, found / n, seed)


def rate(counts: Sequence[tuple[int, float]], seed: int) -> Interval:
    """Of (events, exposure) per connector: events per exposure."""
    events, exposure = (np.array(column, float) for column in zip(*counts, strict=True))
    total = max(float(exposure.sum()), 1e-9)
    if not events.any():
        return Interval(0.0, 0.0, 3 / total)
    return _drawn(events, exposure, float(events.sum()) / total, seed)


def _drawn(hits: np.ndarray, sizes: np.ndarray, value: float, seed: int) -> Interval:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(hits), size=(DRAWS, len(hits)))
    shares = hits[drawn].sum(axis=1) / np.maximum(sizes[drawn].sum(axis=1), 1e-9)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Interval(value, float(low), float(high))
