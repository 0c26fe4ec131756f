"""An alert: a notice as the relay holds it. Decided here: its labels, its mark, and when it is news rather than a state."""

from __future__ import annotations

import hashlib
from datetime import datetime

import msgspec

from chargenet.model.notice import Notice, Severity

NOTICE, ALERTMANAGER = "notice", "alertmanager"
"""Where it came from: a program of ours, or Alertmanager, which has grouped it already."""

_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


def rank(severity: str) -> int:
    """Higher is more urgent. A severity that is not known counts as a warning."""
    return _RANKS.get(severity, 1)


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One notice that is open, or over and not yet told everywhere."""

    notice: Notice
    origin: str = NOTICE
    given_group: str | None = None
    """The group as Alertmanager made it; None: grouped by our routes."""
    taken_at: datetime
    """When it first came."""
    heard_at: datetime
    """When it last came."""

    @property
    def key(self) -> str:
        return self.notice.key

    @property
    def labels(self) -> dict[str, str]:
        """The notice's labels, and `kind`, `severity` and `source`."""
        notice = self.notice
        return notice.labels | {"kind": notice.kind, "severity": notice.severity, "source": notice.source}

    @property
    def mark(self) -> str:
        """Changes when the notice says something else: another kind, severity or title, or it began anew.

        The title of Alertmanager's may have a figure in it that moves with every evaluation: it is not looked at.
        """
        notice = self.notice
        title = notice.title if self.origin == NOTICE else ""
        parts = (notice.kind, notice.severity, title, notice.began_at.isoformat())
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def is_moment(self) -> bool:
        """It told of a moment: it has no end of its own."""
        return self.notice.resolved_at is not None and self.notice.resolved_at <= self.notice.began_at

    @property
    def is_news(self) -> bool:
        """Told once, whether or not somebody heard of its beginning: a moment, or information that is complete."""
        return self.is_moment or (self.is_over and self.origin == NOTICE and self.notice.severity == Severity.INFO)

    @property
    def is_over(self) -> bool:
        return self.notice.resolved_at is not None

    @property
    def is_acknowledged(self) -> bool:
        return self.notice.acknowledged_at is not None
