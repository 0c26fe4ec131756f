"""When a connection is pinged, and when it is lost. Pure: instants are monotonic seconds given by the caller.

A charge point counts as alive by any frame or pong. Some never answer a ping (they only send heartbeats), some send no heartbeat
(they only answer pings): either is enough. Silence for `lost_after` heartbeat intervals means lost (half-open TCP looks like this).
Time in which nobody could be heard is no silence: the caller leaves it out (chargenet/model/standstill.py).
"""

from __future__ import annotations

from enum import Enum, auto

import msgspec


class Pulse(Enum):
    """What to do with a connection now."""

    QUIET = auto()
    PING = auto()
    LOST = auto()


class LivenessRule(msgspec.Struct, frozen=True):
    """Intervals in seconds. `ping_interval_s` 0 turns pings off."""

    heartbeat_interval_s: float = 300.0
    lost_after: float = 3.0
    ping_interval_s: float = 60.0

    @property
    def lost_after_s(self) -> float:
        """Longest silence of a living connection."""
        return self.heartbeat_interval_s * self.lost_after

    @property
    def quiet_s(self) -> float:
        """A connection heard within so many seconds needs nothing."""
        return min(self.lost_after_s, self.ping_interval_s or self.lost_after_s)

    def judge(self, now: float, last_heard: float, last_ping: float) -> Pulse:
        """What a connection last heard at `last_heard` and last pinged at `last_ping` needs at `now`."""
        silent = now - last_heard
        if silent >= self.lost_after_s:
            return Pulse.LOST
        if self.ping_interval_s and silent >= self.ping_interval_s and now - last_ping >= self.ping_interval_s:
            return Pulse.PING
        return Pulse.QUIET
