"""When each charge point was last heard. Decided here: silence counts from the last frame, and never from before we listened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from alerts.signals.point import PointSignals


class Heard(msgspec.Struct, frozen=True):
    """`last_frame_at`: charge point → its last frame or pong by our clock, since heartbeats leave no record.

    `listening_since`: when this platform began to accept connections; before that nobody could be heard.
    """

    last_frame_at: Mapping[str, datetime] = {}
    listening_since: datetime | None = None

    def at(self, point: PointSignals) -> datetime | None:
        """The last instant at which the charge point is known to have been there; None when it never was."""
        seen = self.last_frame_at.get(point.charge_point_id)
        if seen is None:
            return point.heard_at
        return seen if point.heard_at is None or seen > point.heard_at else point.heard_at
