"""What a program wants a person to hear. Decided here: what every message has; not who hears it, how often, or by which way."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Severity:
    """How urgent. A page wakes somebody, a ticket waits for the morning, info is kept and waits for nobody."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Link(msgspec.Struct, frozen=True):
    """Somewhere to look or to act."""

    title: str
    url: str


class Attachment(msgspec.Struct, frozen=True):
    """A file that goes with a message where the way can carry one; `path` is on this machine and stays until delivered."""

    name: str
    media_type: str
    path: str


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened or ended. The same `key` again means the same thing: told again only when something changed.

    `resolved_at` set: it is over; equal to `began_at`: it was news of a moment, told once and never resolved.
    `labels` route and group it (site, charge_point, connector, rollout, …); never an ID token in them.
    """

    key: str
    source: str
    """The program: alerts, firmware or billing."""
    kind: str
    """What it is, in CamelCase as alerts are named, e.g. ConnectorFaulted, RolloutHalted, StatementReady."""
    severity: str
    title: str
    """One line: what is wrong, and where."""
    text: str
    """Sentences for someone woken at 3 a.m.: since when, how sure, the evidence, what to do."""
    labels: dict[str, str]
    links: tuple[Link, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    details: dict[str, object] = {}
    """The same facts for a program: numbers with units in their names."""
    began_at: datetime
    resolved_at: datetime | None = None
    acknowledged_at: datetime | None = None
    """A person has it in hand: it is not repeated any more."""
    acknowledged_by: str = ""
