"""A register's rise, spread over hours. Decided here: linear between two readings, in whole Wh that add up to the rise exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from billing_reports.rollup_state import Running
from billing_reports.rollups import HOUR, hour_of
from chargenet.model.record import microseconds

MAX_RISE_WH = 1_000_000
"""Between two readings of one transaction. More is another meter, not energy (no vehicle takes 1,000 kWh)."""
_SAME_HOUR_S = 3599
"""Whole seconds of the hour that must not be reached for both ends to lie in it for certain, whatever their microseconds."""


def meter(running: Running, at: datetime, register_wh: int) -> Sequence[tuple[datetime, int]]:
    """Takes a reading into the transaction; (an instant of the hour, Wh) for each hour that gets some.

    A register that dips adds nothing until it is above its highest value again. A reading that is older than the last one only
    counts if it is higher, and then for the last one's hour.
    """
    last_at, last_wh = running.last_at, running.last_wh
    if last_at is None or last_wh is None:
        running.last_at, running.last_wh = at, register_wh
        return ()
    rise = register_wh - last_wh
    if abs(rise) > MAX_RISE_WH:
        running.last_at, running.last_wh = max(at, last_at), register_wh
        return ()
    if rise <= 0:
        running.last_at = max(at, last_at)
        return ()
    running.last_wh = register_wh
    if at <= last_at:
        return ((last_at, rise),)
    running.last_at = at
    passed = at - last_at
    if not passed.days and passed.seconds + 60 * last_at.minute + last_at.second < _SAME_HOUR_S:
        return ((last_at, rise),)
    return list(_spread(last_at, at, rise))


def _spread(start: datetime, end: datetime, energy_wh: int) -> Iterator[tuple[datetime, int]]:
    """Cumulative floor: the parts sum to the whole."""
    began, whole = microseconds(start), microseconds(end) - microseconds(start)
    hour, given = hour_of(start), 0
    while hour < end:
        upto = min(microseconds(hour + HOUR) - began, whole)
        share = energy_wh * upto // whole
        if share > given:
            yield hour, share - given
        given = share
        hour += HOUR
