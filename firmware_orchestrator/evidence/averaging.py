"""Many bets, one verdict. Decided here: how e-values of several signals are put together.

The weighted mean of e-values is an e-value whatever they have to do with each other (Vovk & Wang 2021), so that one α covers all
signals, all looks and all waves. It loses less than dividing α among them, since the signals share one threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import exp, inf, log


def log_mean(parts: Iterable[tuple[float, float]]) -> float:
    """log Σ w·E over (w, log E). The weights add up to 1; parts of weight 0 are left out."""
    weighted = [log(weight) + value for weight, value in parts if weight > 0]
    if not weighted:
        return -inf
    top = max(weighted)
    if top in (-inf, inf):
        return top
    return top + log(sum(exp(each - top) for each in weighted))
