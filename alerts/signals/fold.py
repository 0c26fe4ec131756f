"""Facts → signals of one charge point. Decided here: which event changes what; each topic has its own module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alerts.signals.point import PointSignals
from chargenet.events import Event, Fact

Handler = Callable[[PointSignals, Fact, Any], None]


def apply(point: PointSignals, fact: Fact) -> None:
    """Changes `point` by one fact that is newer than it."""
    point.sequence, point.heard_at, point.protocol = fact.sequence, fact.received_at, fact.protocol
    for event in fact.events:
        handler = HANDLERS.get(type(event))
        if handler is not None:
            handler(point, fact, event)


HANDLERS: dict[type[Event], Handler] = {}
