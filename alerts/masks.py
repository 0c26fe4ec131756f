"""Planned work hides findings, and keeps them visible with the reason. Decided here: which work hides which kinds, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from alerts.finding import Finding
from alerts.maintenance import Window
from alerts.signals.point import PointSignals


def mask(
    finding: Finding, now: datetime, *, point: PointSignals | None, site_id: str | None, windows: Iterable[Window]
) -> str | None:
    """Why nobody should be told of this finding now, as a sentence; None when nothing planned explains it."""
    return None
