"""Heartbeat, OCPP 1.6 §4.6: liveness and the time, nothing else."""

from __future__ import annotations

from typing import Any

from collector.context import Context, Handled
from collector.handlers.instants import wire


def handle(call: Any, context: Context) -> Handled:
    """Our clock, for charge points that set theirs by it."""
    return Handled({"currentTime": wire(context.received_at)})
