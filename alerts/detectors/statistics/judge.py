"""Findings of the statistical tests. Decided here: which rows are judged. levels.py says how strong, words.py how it reads.

CPU work, seconds for 50,000 connectors: run it in a worker thread, and not while the history is changed. It goes part by part, so
that no array operation holds the interpreter for long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from alerts.detectors.statistics import words
from alerts.detectors.statistics.history import History, Key
from alerts.detectors.statistics.intervals import HeartbeatIntervals
from alerts.detectors.statistics.levels import Levels
from alerts.detectors.statistics.peers import Peers
from alerts.detectors.statistics.settings import DEFAULTS, StatisticsSettings
from alerts.detectors.statistics.view import View
from alerts.finding import Finding

PART = 2000
"""Rows judged at a time."""
JUDGED_KINDS = frozenset(
    {
        "zero_energy",
        "failing_attempts",
        "silent",
        "power_derated",
        "temperature_above_siblings",
        "irregular_meter_values",
        "irregular_heartbeat",
    }
)
"""Kinds that `judge` gives: one of them that it does not give any more is over."""


def judge(
    history: History, now: datetime, settings: StatisticsSettings = DEFAULTS, only: Iterable[Key] | None = None
) -> list[Finding]:
    """All findings that are true at `now`, of every connector, or of `only` these. Changes nothing."""
    keys = list(history.row_of) if only is None else [key for key in only if key in history.row_of]
    findings: list[Finding] = []
    peers = Peers(history, now.timestamp()) if keys else None
    for start in range(0, len(keys), PART):
        part = keys[start : start + PART]
        rows = np.array([history.row_of[key] for key in part])
        levels = Levels(View(history, rows, now.timestamp(), settings, peers))
        for kind, found in levels.found().items():
            findings += [words.WORDS[kind](levels, int(at), part[int(at)]) for at in np.flatnonzero(found)]
    charge_points = None if only is None else {key[0] for key in keys}
    beats = HeartbeatIntervals(history, now)
    irregular = [int(at) for at in np.flatnonzero(beats.e <= settings.heartbeats_limit)]
    wanted = [at for at in irregular if charge_points is None or beats.charge_points[at] in charge_points]
    findings += [words.heartbeat(beats, at, now) for at in wanted]
    return findings
