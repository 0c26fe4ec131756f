"""Jitter of meter values and heartbeats. Decided here: when intervals have become irregular against what was, and against peers.

Intervals far from their own median are counted; how many of the newest are late is compared by the beta-binomial with its own past,
shrunk to the peers of its model. Intervals that are late come in bursts, so each attempt (each day, for heartbeats) weighs as
BURST intervals at most. e = p × tries (days) per month.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from alerts.detectors.statistics.betabinomial import log_tail
from alerts.detectors.statistics.history import History
from alerts.detectors.statistics.table import Array
from alerts.detectors.statistics.view import MONTH_DAYS, View

RECENT = 6
BURST = 4.0
"""Intervals of one attempt that count as independent."""
LONGEST = 48
OWN_WEIGHT = 20.0
"""Intervals that what was seen before is worth: how regular readings are wanders."""
HEARTBEAT_WEIGHT = 60.0
RECENT_DAYS = 2
FEWEST_BEATS, FEWEST_BEFORE = 24, 96


class MeterIntervals:
    """How irregular the newest attempts' readings are, per row."""

    def __init__(self, view: View) -> None:
        intervals = np.where(view.used, view.records["intervals"], 0).astype(float)
        late = np.where(view.used, view.records["late"], 0).astype(float)
        share = late / np.maximum(intervals, 1.0)
        weight = np.minimum(intervals, BURST)
        newer = np.cumsum((intervals > 0)[:, ::-1], axis=1)[:, ::-1]
        recent, older = (newer <= RECENT) & (intervals > 0), (newer > RECENT) & (intervals > 0)
        tries = (weight * recent).sum(axis=1).round().astype(np.int64)
        failures = np.minimum((weight * share * recent).sum(axis=1).round().astype(np.int64), tries)
        before, before_late = (weight * older).sum(axis=1), (weight * share * older).sum(axis=1)
        rate = np.clip((before_late + 0.03 * OWN_WEIGHT) / (before + OWN_WEIGHT), 0.01, 0.5)
        p = np.exp(log_tail(tries[:, None], failures[:, None], rate * OWN_WEIGHT, (1 - rate) * OWN_WEIGHT, LONGEST)[:, 0])
        enough = (recent.sum(axis=1) >= RECENT) & (older.sum(axis=1) >= RECENT)
        self.e: Array = np.where(enough & (failures > 0), p * view.tries_per_month, np.inf)
        self.late_share: Array = (late * recent).sum(axis=1) / np.maximum((intervals * recent).sum(axis=1), 1.0)
        self.usual_share: Array = (late * older).sum(axis=1) / np.maximum((intervals * older).sum(axis=1), 1.0)
        self.since: Array = np.argmax(recent, axis=1)


class HeartbeatIntervals:
    """The same for the heartbeats of charge points, over the last RECENT_DAYS days."""

    def __init__(self, history: History, now: datetime) -> None:
        self.charge_points = list(history.heartbeats.pulses)
        day = int(now.astimezone(UTC).timestamp() // 86_400)
        pulses = history.heartbeats.pulses
        counts = np.array([pulses[each].counts(day, RECENT_DAYS) for each in self.charge_points], float).reshape(-1, 4)
        beats, late, beats_before, late_before = counts.T
        tries = np.minimum(beats, LONGEST).astype(np.int64)
        self.share: Array = late / np.maximum(beats, 1.0)
        self.usual_share: Array = late_before / np.maximum(beats_before, 1.0)
        failures = (tries * self.share).round().astype(np.int64)
        rate = np.clip((self.usual_share * beats_before + 2.0) / (beats_before + 50.0), 0.01, 0.5)
        p = np.exp(
            log_tail(tries[:, None], failures[:, None], rate * HEARTBEAT_WEIGHT, (1 - rate) * HEARTBEAT_WEIGHT, LONGEST)[:, 0]
        )
        enough = (beats >= FEWEST_BEATS) & (beats_before >= FEWEST_BEFORE) & (failures > 0)
        self.e: Array = np.where(enough, p * MONTH_DAYS, np.inf)
