"""Interval registers (`Energy.Active.Import.Interval`) → energy over time, for charge points that tell no other. Pure.

Decided here: which intervals count, so that none counts twice. Each is the energy since the report before it, of its own kind:
samples (Sample.Periodic, Interruption.*) and the clock (Sample.Clock) divide the same energy in two ways, so only one of them
counts, with the rest at the end (Transaction.End). Transaction.Begin lies before the transaction; what was asked for (Trigger,
Other) overlaps. Only intervals that name the transaction count: one of the connector may contain what another vehicle took.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from chargenet.model.measurement import ENERGY_INTERVAL, Measurement

PERIODIC, CLOCK, END = "periodic", "clock", "end"
_KIND = {
    "Sample.Periodic": PERIODIC,
    "Interruption.Begin": PERIODIC,
    "Interruption.End": PERIODIC,
    "Sample.Clock": CLOCK,
    "Transaction.End": END,
}


class Interval(msgspec.Struct, frozen=True):
    """Energy since the report before it, mWh, told at `at` in a record."""

    at: datetime
    sequence: int
    kind: str
    mwh: int


def intervals_of(measurements: Iterable[Measurement], at: datetime, sequence: int) -> list[Interval]:
    """The intervals of one meter value that can count; the highest where one kind comes twice."""
    found: dict[str, int] = {}
    for each in measurements:
        kind = _KIND.get(each.context)
        whole = each.phase is None and each.location == "Outlet" and each.unit == "Wh"
        if each.measurand == ENERGY_INTERVAL and kind is not None and whole and each.value >= 0:
            found[kind] = max(found.get(kind, 0), round(each.value * 1000))
    return [Interval(at, sequence, kind, mwh) for kind, mwh in found.items()]


def counted(intervals: Sequence[Interval], began_at: datetime, ended_at: datetime) -> list[Interval]:
    """Those that count, in order of time, each instant once. The rest at the end is put at the end of the transaction."""
    chosen = PERIODIC if any(each.kind == PERIODIC for each in intervals) else CLOCK
    found: dict[datetime, Interval] = {}
    for each in sorted(intervals, key=lambda one: (one.at, one.sequence)):
        if each.kind == chosen and began_at < each.at <= ended_at:
            _keep(found, each)
    for each in intervals:
        # A sample of the same instant is the same energy: the charge point told it under both names.
        if each.kind == END and each.at >= began_at:
            _keep(found, msgspec.structs.replace(each, at=min(each.at, ended_at)))
    return [found[at] for at in sorted(found)]


def _keep(found: dict[datetime, Interval], interval: Interval) -> None:
    """The same interval may be told late and twice; it counts once."""
    known = found.get(interval.at)
    if known is None or interval.mwh > known.mwh:
        found[interval.at] = interval
