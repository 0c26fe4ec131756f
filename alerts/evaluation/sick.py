"""The already-sick rule. Decided here: which connectors and weeks of a recording cannot stand for healthy ones.

Real recordings hold real faults, and nobody labelled them. A finding there is no false alarm, and a fault put on top is not found
for its own sake. The rule looks at the whole recording, knows nothing of the detectors, and is the same for every baseline:

- a connector with fewer than 100 attempts, fewer than 0.2 a day, or more than 15 % of all attempts failed: always sick;
- 4 failed attempts in a row, or 5 failed of any 10: from the first to the last of them, and 14 days to either side;
- nobody for longer than 3 days and than 12 times its usual gap, by the sixty gaps around (by chance one gap in 160,000), at the
  connector or at its whole charge point: the gap, and 14 days to either side;
- the median power of any 20 attempts below 40 % of its usual: those attempts, and 14 days to either side.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from alerts.attempts import LITTLE_ENERGY_WH
from alerts.evaluation.sessions import Session

MARGIN_S = 14 * 86_400.0
SHORTEST_GAP_S = 3 * 86_400.0
AROUND, MOST_GAPS = 30, 12.0
FEWEST, FEWEST_A_DAY, MOST_FAILED = 100, 0.2, 0.15


class Health(msgspec.Struct, frozen=True):
    """Why a connector is set aside for good (None: it is not), and the spans (UTC seconds) in which it is sick."""

    always: str | None
    spans: tuple[tuple[float, float], ...]

    def healthy(self, start: float, end: float) -> bool:
        """Whether it is healthy all the time from `start` to `end`."""
        return self.always is None and not any(start < sick_end and sick_start < end for sick_start, sick_end in self.spans)

    def healthy_s(self, start: float, end: float) -> float:
        """Healthy seconds between `start` and `end`."""
        if self.always is not None or end <= start:
            return 0.0
        inside = ((max(a, start), min(b, end)) for a, b in self.spans)
        return end - start - sum(max(0.0, b - a) for a, b in inside)


def health(sessions: Sequence[Session], charge_point: Sequence[Session]) -> Health:
    """The health of one connector, from all its sessions by begin, and from those of its whole charge point."""
    began = np.array([each.began for each in sessions])
    failed = np.array([each.energy_wh is not None and each.energy_wh <= LITTLE_ENERGY_WH for each in sessions])
    together = np.array([each.began for each in charge_point])
    days = (began[-1] - began[0]) / 86_400.0
    if len(began) < FEWEST:
        return Health(f"fewer than {FEWEST} attempts", ())
    if len(began) < FEWEST_A_DAY * days:
        return Health(f"fewer than {FEWEST_A_DAY} attempts a day", ())
    if failed.mean() > MOST_FAILED:
        return Health(f"more than {MOST_FAILED:.0%} of all attempts failed", ())
    spans = [*_runs(began, failed, 4, 4), *_runs(began, failed, 10, 5), *_gaps(began), *_gaps(together), *_weak(sessions, began)]
    return Health(None, _merged(spans))


def _runs(began: np.ndarray, failed: np.ndarray, length: int, most: int) -> list[tuple[float, float]]:
    counts = np.convolve(failed.astype(int), np.ones(length, int), "valid")
    return [(began[at], began[at + length - 1]) for at in np.flatnonzero(counts >= most)]


def _gaps(began: np.ndarray) -> list[tuple[float, float]]:
    gaps = np.diff(began)
    around = np.convolve(np.minimum(np.pad(gaps, AROUND, mode="reflect"), MARGIN_S), np.ones(2 * AROUND + 1), "valid")
    usual = (around - np.minimum(gaps, MARGIN_S)) / (2 * AROUND)
    long = gaps > np.maximum(SHORTEST_GAP_S, MOST_GAPS * usual)
    return [(began[at], began[at + 1]) for at in np.flatnonzero(long)]


def _weak(sessions: Sequence[Session], began: np.ndarray) -> list[tuple[float, float]]:
    power = np.array([(each.energy_wh or 0.0) / max(each.ended - each.began, 60.0) for each in sessions])
    if len(power) < 40:
        return []
    medians = np.median(np.lib.stride_tricks.sliding_window_view(power, 20), axis=1)
    return [(began[at], began[at + 19]) for at in np.flatnonzero(medians < 0.4 * np.median(power))]


def _merged(spans: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted((float(a) - MARGIN_S, float(b) + MARGIN_S) for a, b in spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
