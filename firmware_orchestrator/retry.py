"""When an update that failed is tried again. Decided here: classes of failures, how often each is tried, and the waiting times.

A failure that trying again cannot mend (a wrong address, a signature that is refused) ends at once: retries are for the radio.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from firmware_orchestrator.rollout import UpdateState


class Failure(StrEnum):
    """Why an attempt ended badly."""

    ADDRESS = "address"
    """The download failed within ADDRESS_S: URL, protocol or credentials."""
    DOWNLOAD = "download"
    INSTALL = "install"
    SIGNATURE = "signature"
    REJECTED = "rejected"
    SILENT = "silent"
    """Nothing was heard for the time of the stage."""
    RESTARTED = "restarted"
    """It restarted before it installed, and has forgotten the order (some keep it in memory only)."""


ADDRESS_S = 2.0
JITTER = 0.2
_ENDS: Mapping[Failure, UpdateState] = {
    Failure.ADDRESS: UpdateState.FAILED,
    Failure.DOWNLOAD: UpdateState.FAILED,
    Failure.INSTALL: UpdateState.FAILED,
    Failure.SIGNATURE: UpdateState.FAILED,
    Failure.REJECTED: UpdateState.REJECTED,
    Failure.SILENT: UpdateState.TIMED_OUT,
    Failure.RESTARTED: UpdateState.FAILED,
}
_TRIES: Mapping[str, int] = {
    Failure.ADDRESS: 0,
    Failure.DOWNLOAD: 4,
    Failure.INSTALL: 0,
    Failure.SIGNATURE: 0,
    Failure.REJECTED: 4,
    Failure.SILENT: 2,
    Failure.RESTARTED: 4,
}


class Retries(msgspec.Struct, frozen=True, kw_only=True):
    """`delays_s`: the wait before the second, third, … attempt; `tries`: how many more attempts each class gets."""

    delays_s: tuple[float, ...] = (300.0, 1800.0, 7200.0, 14_400.0)
    tries: Mapping[str, int] = msgspec.field(default_factory=lambda: dict(_TRIES))


def next_attempt(failure: Failure, attempt: int, key: str, now: datetime, retries: Retries) -> datetime | None:
    """When attempt `attempt` + 1 may begin; None: never. The jitter comes from `key`, so that a replay decides the same."""
    allowed = min(retries.tries.get(failure, 0), len(retries.delays_s))
    if attempt < 1 or attempt > allowed:
        return None
    roll = zlib.crc32(f"{key}/{attempt}".encode()) / 0xFFFFFFFF
    return now + timedelta(seconds=retries.delays_s[attempt - 1] * (1 - JITTER + 2 * JITTER * roll))


def end_of(failure: Failure) -> UpdateState:
    """The terminal state of an update whose attempts are used up."""
    return _ENDS[failure]
