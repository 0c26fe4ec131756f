"""From every figure of a CDR back to the frames. Decided here: which reports a priced line rests on. Pure.

A line's energy is the difference of the transaction's energy at the two ends of its period; each of these lies at a report, or on
the straight line between the reports before and after it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from billing_reports.cdr import Cdr, PricedLine, PricedPeriod, TracePoint
from billing_reports.money import Money
from billing_reports.tariff import Dimension


class TracedFrame(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A record of the journal, as it came and as it was answered."""

    sequence: int
    received_at: datetime | None = None
    protocol: str = ""
    frame: str = ""
    reply: str = ""
    lost: bool = False
    """The journal no longer has it: retention removed it. What was copied from it into the CDR stays."""
    journal_begins: int | None = None
    """Of a lost one: the oldest record that the journal still has, and when that one came."""
    journal_begins_at: datetime | None = None
    copied: tuple[str, ...] = ()
    """Of a lost one: what the CDR keeps of it, in words."""


class TracedLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One priced line and the reports it rests on, as journal sequences."""

    start_at: datetime
    end_at: datetime
    kind: str
    dimension: str
    measured: Decimal
    billed: Decimal
    price: Decimal | None
    before_taxes: Money
    rule: str
    sequences: tuple[int, ...]
    how: str
    """A sentence: which registers were subtracted, or which reports give the times."""


class CdrTraceView(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """All of it. `frames` are those that lines and points name, in order."""

    cdr_id: str
    charge_point_id: str | None
    transaction_id: str | None
    total_before_taxes: Money
    total_after_taxes: Money
    lines: tuple[TracedLine, ...]
    adjustments: tuple[str, ...] = ()
    points: tuple[TracePoint, ...] = ()
    frames: tuple[TracedFrame, ...] = ()


def sequences_of(cdr: Cdr) -> list[int]:
    """Every record that a CDR rests on, in order."""
    signed = {each.sequence for each in cdr.signed if each.sequence is not None}
    return sorted({each.sequence for each in cdr.trace.points} | signed)


def copied_from(cdr: Cdr, sequence: int) -> tuple[str, ...]:
    """What a CDR keeps of a record, whether or not the journal still has it."""
    points = tuple(_point(each) for each in cdr.trace.points if each.sequence == sequence)
    signed = tuple(
        f"signed value {each.context or ''}".strip() + f", {each.encoding}, {each.verdict}"
        for each in cdr.signed
        if each.sequence == sequence
    )
    return (*points, *signed)


def _point(point: TracePoint) -> str:
    register = "" if point.register_wh is None else f", register {point.register_wh} Wh"
    return f"{point.what} at {point.at.isoformat()}{register}{', ' + point.note if point.note else ''}"


def traced(cdr: Cdr, frames: Sequence[TracedFrame]) -> CdrTraceView:
    """The lines of a CDR with what each rests on."""
    registers = [each for each in cdr.trace.points if each.energy_wh is not None]
    states = [each for each in cdr.trace.points if each.energy_wh is None]
    lines = tuple(_line(cdr, period, line, registers, states) for period in cdr.priced.periods for line in period.lines)
    return CdrTraceView(
        cdr_id=cdr.id, charge_point_id=cdr.charge_point_id, transaction_id=cdr.transaction_id,
        total_before_taxes=Money(cdr.total.before_taxes, cdr.currency),
        total_after_taxes=Money(cdr.total.after_taxes, cdr.currency), lines=lines,
        adjustments=tuple(f"{each.kind}: {Money(each.before_taxes, cdr.currency)}, {each.rule}" for each in cdr.priced.adjustments),
        points=cdr.trace.points, frames=tuple(frames),
    )  # fmt: skip


def _line(
    cdr: Cdr, period: PricedPeriod, line: PricedLine, registers: Sequence[TracePoint], states: Sequence[TracePoint]
) -> TracedLine:
    if line.dimension is Dimension.ENERGY:
        found, how = _energy(period, line, registers)
    elif line.dimension is Dimension.FLAT:
        found = _around(registers, period.start_at)
        how = "charged once, because the transaction began"
    else:
        found, how = _time(period, registers, states)
    return TracedLine(
        start_at=period.start_at, end_at=period.end_at, kind=period.kind.value, dimension=line.dimension.value,
        measured=line.measured, billed=line.billed, price=line.price, before_taxes=Money(line.before_taxes, cdr.currency),
        rule=line.rule, sequences=tuple(sorted({each.sequence for each in found})), how=how,
    )  # fmt: skip


def _energy(period: PricedPeriod, line: PricedLine, registers: Sequence[TracePoint]) -> tuple[list[TracePoint], str]:
    begin, end = _around(registers, period.start_at), _around(registers, period.end_at)
    if not begin or not end:
        return [*begin, *end], "no register is kept for this period"
    return [*begin, *end], f"{_said(end, period.end_at)} - {_said(begin, period.start_at)} = {line.measured} Wh"


def _said(points: Sequence[TracePoint], at: datetime) -> str:
    if len(points) == 1 or points[-1].at == at:
        point = points[-1]
        if point.register_wh is None:
            return f"{point.energy_wh} Wh ({point.note or 'at the start'}, record {point.sequence})"
        return f"{point.energy_wh} Wh (register {point.register_wh} Wh in record {point.sequence})"
    first, last = points[0], points[-1]
    return f"between {first.energy_wh} Wh (record {first.sequence}) and {last.energy_wh} Wh (record {last.sequence})"


def _time(period: PricedPeriod, registers: Sequence[TracePoint], states: Sequence[TracePoint]) -> tuple[list[TracePoint], str]:
    inside = [each for each in states if period.start_at <= each.at <= period.end_at]
    before = [each for each in states if each.at < period.start_at][-1:]
    ends = [*_around(registers, period.start_at), *_around(registers, period.end_at)]
    words = ", ".join(f"{each.note} (record {each.sequence})" for each in (*before, *inside) if each.note)
    return [*before, *inside, *ends], f"the connector said {words}" if words else "from the begin to the end of the transaction"


def _around(points: Sequence[TracePoint], at: datetime) -> list[TracePoint]:
    """The report at an instant, or the ones before and after it."""
    first, last = bisect_left(points, at, key=lambda each: each.at), bisect_right(points, at, key=lambda each: each.at)
    if first < last:
        return [points[last - 1]]
    return [*points[max(0, first - 1) : first], *points[first : first + 1]]
