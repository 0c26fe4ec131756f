"""Back-pressure of one connection: why its socket is not being read. Decided here: reading goes on when no reason is left.

Never a CALLERROR: a charge point that flushes a backlog is read as fast as the journal takes it, and TCP tells it to wait.
"""

from __future__ import annotations

from enum import Flag, auto

from collector.transport.port import Socket


class Reason(Flag):
    """Why a socket is not read."""

    NONE = 0
    PACE = auto()
    """More frames a second than the limit."""
    UNDURABLE = auto()
    """Too many of its records wait for the disk."""
    JOURNAL = auto()
    """The journal takes nothing: what it would send could not be acknowledged."""


class Pressure:
    """Pauses and resumes one socket."""

    __slots__ = ("_reasons", "_socket", "pressed")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._reasons = Reason.NONE
        self.pressed = False
        """Is there a reason? Asked for each message, and five times cheaper than the truth of a Flag."""

    @property
    def reasons(self) -> Reason:
        """All present reasons; falsy when the socket is read."""
        return self._reasons

    def add(self, reason: Reason) -> None:
        """Stop reading, if this is the first reason."""
        if not self._reasons:
            self._socket.pause_reading()
        self._reasons |= reason
        self.pressed = True

    def remove(self, reason: Reason) -> None:
        """Go on reading, if this was the last reason."""
        if not self._reasons & reason:
            return
        self._reasons &= ~reason
        if not self._reasons:
            self.pressed = False
            self._socket.resume_reading()
