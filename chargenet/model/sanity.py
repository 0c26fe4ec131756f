"""Which instants of a device can be believed. Decided here: the sanity window, so that all programs judge alike."""

from __future__ import annotations

from datetime import datetime, timedelta

OLDEST = timedelta(days=400)
"""A backlog may be this old; a clock that is further back was never set."""
_OLDEST = -OLDEST
FURTHEST_AHEAD = timedelta(minutes=5)


def believable(at: datetime | None, received_at: datetime) -> bool:
    """May a device's instant order things? Not when it is missing, was never set, or lies in our future."""
    return at is not None and _OLDEST <= at - received_at <= FURTHEST_AHEAD
