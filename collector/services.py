"""What every connection of one collector shares. Made once in app.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from chargenet.observe.platform import PlatformMetrics
from chargenet.ports import Clock, Journal
from collector.context import Desk
from collector.ledger import Ledger
from collector.liveness import LivenessRule
from collector.recorder import Recorder


class ConnectionLimits(msgspec.Struct, frozen=True):
    """Bounds of one connection."""

    max_frames_per_s: float = 200.0
    burst_frames: float = 400.0
    max_undurable: int = 64
    """Records of one connection that may wait for the disk before it is no longer read."""
    max_journal_pending: int = 20_000
    """Records of all connections that may wait before none is read."""
    max_waiting_calls: int = 16


class Services(msgspec.Struct):
    """Shared parts; all of it lives on one event loop."""

    clock: Clock
    recorder: Recorder
    journal: Journal
    desk: Desk
    ledger: Ledger
    metrics: PlatformMetrics
    liveness: LivenessRule
    limits: ConnectionLimits
    loop: asyncio.AbstractEventLoop
    touched: Callable[[str, float], None]
    """(charge point, UTC seconds): a heartbeat came, which leaves no record."""
