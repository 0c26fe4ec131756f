"""What a simulated network has done so far, for a progress line and for tests."""

from __future__ import annotations

import msgspec


class Statistics(msgspec.Struct, kw_only=True):
    """Counts since the start, and what is true now (`connected`, `sessions`)."""

    charge_points: int = 0
    connected: int = 0
    sessions: int = 0
    sessions_started: int = 0
    sessions_stopped: int = 0
    energy_wh: float = 0.0
    frames_sent: int = 0
    frames_received: int = 0
    calls_answered: int = 0
    calls_refused: int = 0
    """Calls of the server that we answered with a call error."""
    call_errors: int = 0
    """Call errors that the server answered us with."""
    timeouts: int = 0
    connects: int = 0
    connect_failures: int = 0
    reports_lost: int = 0
    """Reports that did not fit into the outbox."""
    uploads: int = 0
    updates: int = 0
    problems: dict[str, int] = msgspec.field(default_factory=dict)
    """Last words of what failed → how often; bounded."""

    def problem(self, text: str) -> None:
        """Remember what went wrong."""
        if text in self.problems or len(self.problems) < 50:
            self.problems[text] = self.problems.get(text, 0) + 1

    @property
    def errors(self) -> int:
        """Everything that should not have happened."""
        return self.call_errors + self.timeouts + self.connect_failures + self.reports_lost

    def line(self) -> str:
        """One line of progress."""
        return (
            f"{self.connected}/{self.charge_points} connected, {self.sessions} sessions ({self.sessions_started} started), "
            f"{self.energy_wh / 1000:.1f} kWh, {self.frames_sent} frames sent, {self.errors} errors"
        )
