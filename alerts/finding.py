"""A finding: one detector said something once. Decided here: what every finding must carry to be believed and acted on.

Detectors are pure: they give all findings that are true now. What is not given any more is over; cases (not detectors) remember.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One observation behind a finding. `sequences`: journal records that show it, oldest first, at most 20."""

    what: str
    """A sentence for a person, e.g. "5 of 6 attempts since 14:02 gave no energy; its peers: 3 of 212"."""
    value: float | str | None = None
    unit: str = ""
    expected: float | str | None = None
    sequences: tuple[int, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is a key of alerts/kinds; exactly one thing is meant: a connector, a charge point (connector None), or a site."""

    kind: str
    charge_point_id: str | None
    """None: the whole site or vendor named in `group`."""
    connector: str | None = None
    """A ConnectorRef label."""
    group: str | None = None
    """`site:<id>` or `vendor:<name>` for findings about many charge points."""
    severity: str
    """chargenet.model.notice.Severity."""
    score: float
    """How sure: 0…1, 1 for what the charge point itself said."""
    began_at: datetime
    """Our clock: since when it has been so."""
    summary: str
    """One line without the name of the thing: what is wrong."""
    evidence: tuple[Evidence, ...]
    action: str
    """What a person should do next, in one sentence."""

    @property
    def thing(self) -> str:
        """What it is about, as one text: `group`, charge point, or charge point and connector."""
        if self.group is not None:
            return self.group
        return f"{self.charge_point_id}/{self.connector}" if self.connector is not None else str(self.charge_point_id)
