"""All rules over one charge point, or over the network. Decided here: which rules see what, and what hides what."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alerts.detectors.rules.heard import Heard
from alerts.detectors.rules.peers import Peers
from alerts.detectors.rules.settings import RuleSettings
from alerts.finding import Finding
from alerts.signals.network import NetworkSignals
from alerts.signals.point import PointSignals

POINT_KINDS: frozenset[str] = frozenset()
"""Kinds that `judge_point` gives: when it does not give one, it is over."""
NETWORK_KINDS: frozenset[str] = frozenset({"offline", "site_offline", "vendor_offline", "network_offline"})
"""Kinds that only `judge` can give."""


def judge(
    signals: NetworkSignals, now: datetime, settings: RuleSettings, sites: Mapping[str, str], heard: Heard | None = None
) -> list[Finding]:
    """All findings that are true now. `sites`: charge point → site id, for those that have one."""
    return []


def judge_point(
    point: PointSignals,
    now: datetime,
    settings: RuleSettings,
    *,
    site_id: str | None = None,
    heard: Heard | None = None,
    peers: Peers | None = None,
) -> list[Finding]:
    """The findings of POINT_KINDS about one charge point; `peers` of the last whole pass adds what its peers have."""
    return []
