"""When each charge point was last heard. Decided here: silence counts from the last frame, and only while we listened."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from alerts.detectors.rules.settings import RuleSettings
from alerts.signals.point import PointSignals
from chargenet.model.standstill import Standstills


class Heard(msgspec.Struct, frozen=True):
    """`last_frame_at`: charge point → its last frame or pong by our clock, since heartbeats leave no record.

    `listening_since`: when this platform began to accept connections; before that nobody could be heard. `standstills`: nor could
    anybody be heard then, since.
    """

    last_frame_at: Mapping[str, datetime] = {}
    listening_since: datetime | None = None
    standstills: Standstills | None = None


def heard_at(point: PointSignals, now: datetime, heard: Heard | None) -> datetime:
    """The last instant at which it is known to have been there. Where nobody kept frames, a connected one counts as heard now."""
    recorded = point.heard_at or point.connection_at or now
    if heard is None:
        return recorded if point.connected is False else now
    frame = heard.last_frame_at.get(point.charge_point_id)
    return recorded if frame is None or frame < recorded else frame


def silent_since(point: PointSignals, now: datetime, heard: Heard | None) -> datetime:
    """From when its silence counts."""
    at = heard_at(point, now, heard)
    if heard is None or heard.listening_since is None or heard.listening_since < at:
        return at
    return heard.listening_since


def deaf_s(since: datetime, now: datetime, heard: Heard | None) -> float:
    """How long of the time between nobody could be heard, which is part of no silence."""
    return 0.0 if heard is None or heard.standstills is None else heard.standstills.between_instants(since, now)


def heartbeat_s(point: PointSignals, settings: RuleSettings) -> float:
    """How often it should be heard."""
    return settings.heartbeat_interval_s if point.heartbeat_interval_s is None else point.heartbeat_interval_s


def offline_after_s(point: PointSignals, settings: RuleSettings) -> float:
    """The silence after which it is offline."""
    return max(settings.offline_heartbeats * heartbeat_s(point, settings), settings.offline_min_s)


def alive_until(point: PointSignals, now: datetime, settings: RuleSettings, heard: Heard | None) -> datetime:
    """Until when what it said last is taken to hold: what nobody hears of does not go on."""
    return min(now, heard_at(point, now, heard) + timedelta(seconds=offline_after_s(point, settings)))
