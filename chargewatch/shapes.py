"""Answers of the API that the command line reads, too. Decided here: their fields.

Apart from both: a command that lists firmware must not import a web server.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from firmware_orchestrator.artifacts import Artifact


class FirmwareShown(msgspec.Struct, frozen=True, kw_only=True):
    """A firmware file, and whether it may be used now: approvals that have expired, or whose key was revoked, do not count."""

    artifact: Artifact
    approvals_that_count: int
    approved: bool


class ToldTo(msgspec.Struct, frozen=True):
    """Who believes it open, how, and since when; `told_at` is of the last message of its group."""

    receiver: str
    status: str
    told_at: datetime


class OpenAlert(msgspec.Struct, frozen=True, kw_only=True):
    """`muted_by`: the silence or the alert that keeps it quiet now. Neither muted nor told: its group still waits."""

    key: str
    source: str
    kind: str
    severity: str
    title: str
    labels: dict[str, str]
    began_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    muted_by: str | None
    told_to: Sequence[ToldTo]
