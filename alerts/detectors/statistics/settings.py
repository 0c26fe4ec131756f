"""Limits of the statistical tests. Decided here: the values, fitted as docs/detection.md says; not what is compared with them.

Every test gives `e`: how many findings as strong as this one chance alone would make per connector and month (its p-value times
the tries per month, or the CUSUM's run-length bound). A finding is made when `e` is at most its limit here, so a limit is a
false-alarm budget, the same for a busy connector and a quiet one.
"""

from __future__ import annotations

import msgspec


class StatisticsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits are expected chance findings per connector-month; weights are in attempts."""

    no_energy_limit: float = 0.05
    no_energy_page_limit: float = 0.002
    failing_limit: float = 0.05
    silence_limit: float = 0.002
    power_limit: float = 0.002
    power_unreported_limit: float = 5e-05
    """Where charge points do not report what they offer."""
    temperature_limit: float = 5e-07
    intervals_limit: float = 0.02
    heartbeats_limit: float = 1e-3
    forest_limit: float = 0.805
    """Isolation score (0…1) above which a week is unlike those of all peers."""
    peer_weight: float = 25.0
    """How many attempts of its own the peers' failure rate is worth (the Beta prior's a + b)."""
    silence_weight_days: float = 5.0
    """How many days of its own the peers' rate of attempts is worth."""


DEFAULTS = StatisticsSettings()
