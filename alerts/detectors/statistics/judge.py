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
    history: History,
    now: datetime,
    settings: StatisticsSettings = DEFAULTS,
    only: Iterable[Key] | None = None,
    peers: Peers | None = None,
) -> list[Finding]:
    """All findings that are true at `now`, of everything, or of `only` these connectors. Changes nothing.

    `peers`: sums made a while ago, which change slowly; they must know all rows of the history.
    """
    keys = list(history.row_of) if only is None else [key for key in only if key in history.row_of]
    findings: list[Finding] = []
    if keys and peers is None:
        peers = Peers(history, now.timestamp())
    for start in range(0, len(keys), PART):
        part = keys[start : start + PART]
        rows = np.array([history.row_of[key] for key in part])
        levels = Levels(View(history, rows, now.timestamp(), settings, peers))
        for kind, found in levels.found().items():
            findings += [words.WORDS[kind](levels, int(at), part[int(at)]) for at in np.flatnonzero(found)]
    if only is not None:
        return findings
    beats = HeartbeatIntervals(history, now)
    irregular = np.flatnonzero(beats.e <= settings.heartbeats_limit)
    return findings + [words.heartbeat(beats, int(at), now) for at in irregular]
