"""Is the new firmware worse? Decided here: the bet on rates of events against a concurrent control group.

Let events come one at a time, and just before each let the charge points with the new firmware that could have it weigh c, those
of the control group k (each counted with its own rate of the 28 days before). If the new firmware has r times the events, an event
is one of its own with probability r·c / (r·c + k), whatever the rate of both is at that hour: an incident of the whole network
hits both alike. Against r ≤ r0, for each θ of a grid, L_θ is the product of the likelihood ratios of θ against r0, and
E = mean of L_θ is an e-process.

Sources: Wald 1945 (mixtures of sequential tests); ter Schure, Pérez-Ortiz, Ly, Grünwald 2024, "The anytime-valid logrank test"
(arXiv 2011.06931); Lindon & Malek 2022, "Anytime-valid inference for multinomial count data".
"""

from __future__ import annotations

from math import exp, inf, log

GRID: tuple[float, ...] = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0)
"""How many times worse, as multiples of r0."""
Logs = tuple[float, ...]
NOTHING: Logs = (0.0,) * len(GRID)
_LOG_GRID = tuple(log(theta) for theta in GRID)
_LOG_SIZE = log(len(GRID))


def bet(logs: Logs, treated: int, control: int, c: float, k: float, r0: float = 1.0) -> Logs:
    """The logs of L_θ after `treated` and `control` events, before which those at risk weighed `c` and `k`.

    One group at risk alone says nothing, and leaves the bet as it is.
    """
    if c <= 0 or k <= 0:
        return logs
    base = r0 * c
    total = base + k
    count = treated + control
    return tuple(
        so_far + treated * log_theta + count * log(total / (theta * base + k))
        for so_far, theta, log_theta in zip(logs, GRID, _LOG_GRID, strict=True)
    )


def log_e(logs: Logs) -> float:
    """log E of the mixture: the mean of L_θ."""
    top = max(logs)
    if top == -inf:
        return -inf
    return top + log(sum(exp(each - top) for each in logs)) - _LOG_SIZE
