"""The charge point's clock against ours. Decided here: which reports say something about it.

A report made late makes a clock look slow, never fast. So of several reports the largest offset is nearest to the truth, statuses
(whose instant may be that of an old change) count only where they are not old, and what came from a queue does not count.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from alerts.signals.marks import ClockSample, push
from alerts.signals.point import PointSignals
from chargenet.events import Fact

SPACING = timedelta(minutes=2)
"""Reports closer together than this are one sample: the largest offset of them."""
KEPT = 8
FRESH_S = 60.0


def sample(point: PointSignals, fact: Fact, at: datetime | None) -> None:
    """A report that was made as it happened."""
    if at is None:
        return
    offset_s = (at - fact.received_at).total_seconds()
    last = point.clock[-1] if point.clock else None
    if last is None or fact.received_at - last.at >= SPACING:
        push(point.clock, ClockSample(fact.received_at, fact.sequence, offset_s), KEPT)
    elif offset_s > last.offset_s:
        point.clock[-1] = ClockSample(last.at, fact.sequence, offset_s)


def sample_status(point: PointSignals, fact: Fact, at: datetime | None) -> None:
    """A status: its instant may be old without the clock being wrong."""
    if at is not None and (at - fact.received_at).total_seconds() >= -FRESH_S:
        sample(point, fact, at)
