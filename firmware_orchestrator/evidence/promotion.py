"""Is it proven that the new firmware is not r1 times worse? Decided here: the bet against "at least r1 times".

The likelihood ratio of 1 against r1 for each event, with c and k as in mixture.py. Against every r ≥ r1 it is an e-process, because
an event of the new firmware lowers it and one of the control group raises it: P(it ever reaches 1/β | r ≥ r1) ≤ β.
"""

from __future__ import annotations

from math import log


def proof(so_far: float, treated: int, control: int, c: float, k: float, r1: float) -> float:
    """log M after `treated` and `control` events, before which those at risk weighed `c` and `k`."""
    if c <= 0 or k <= 0:
        return so_far
    ratio = log((r1 * c + k) / (c + k))
    return so_far + treated * (ratio - log(r1)) + control * ratio
