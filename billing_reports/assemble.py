"""A transaction and its evidence → what was used, or why it cannot be billed. Decided here: which register ends it, and how long it
occupied the connector. Pure; never silent: the answer is an `Assembled` or a `BillingIssue`.

What a CDR rests on is listed point by point in its trace: each energy there is the energy of the transaction up to that report.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import msgspec

from billing_reports.cdr import CdrTrace, ChargingPeriod, PeriodKind, SignedReading, TracePoint, Usage
from billing_reports.evidence import Evidence, Reading, Seen, StateSeen
from billing_reports.interval_energy import counted
from billing_reports.issue import BillingIssue, IssueReason
from billing_reports.money import decimal_text
from billing_reports.periods import Knot, charging_periods
from billing_reports.registers import LARGEST_W, Curve, RegisterBackwards, RegisterPoint, curve, deliverable
from billing_reports.signed import INVALID, REGISTERED, Known, energy_wh, verified
from billing_reports.split import to_ms
from chargenet.model.transaction import Transaction, TransactionFlag, TransactionState

LEFT_AT_ONCE = timedelta(seconds=60)
"""A connector that is free this soon after the end was not kept occupied."""
LAST_WORD = timedelta(seconds=60)
"""How long after a stop a report of the connector's status may still be on its way."""
NO_TIME = timedelta(seconds=1)
"""How long a transaction took that began and ended at the same instant and yet delivered energy."""
QUIET_TAIL = timedelta(minutes=15)
LONGEST_RESERVATION = timedelta(days=1)
UNPLUGGED = frozenset({"EVDisconnected"})
_FLAGS = frozenset(
    {
        TransactionFlag.START_MISSING, TransactionFlag.STOP_MATCHED, TransactionFlag.SEQUENCE_GAP, TransactionFlag.CLOCK_ABSURD,
        TransactionFlag.CLOCK_BACKWARDS, TransactionFlag.READINGS_AFTER_STOP, TransactionFlag.TOKEN_REJECTED,
        TransactionFlag.STOP_BEFORE_START,
    }
)  # fmt: skip


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """What was used, ready to be priced."""

    started_at: datetime
    ended_at: datetime
    usage: Usage
    trace: CdrTrace
    estimated: bool
    flags: tuple[str, ...]
    signed: tuple[SignedReading, ...]
    priced_from: datetime
    """The instant that chooses the tariff: when the transaction (or its reservation) began."""


def settles_at(row: Transaction, evidence: Evidence, wait: timedelta) -> datetime | None:
    """When the transaction can be assembled: None is now. While the vehicle stays, idle time may still grow, up to `wait`."""
    if row.state != TransactionState.STOPPED or row.ended_at is None or row.stop_received_at is None:
        return None
    if row.stop_reason in UNPLUGGED or evidence.next_began_at is not None or _left_at(row.ended_at, evidence) is not None:
        return None
    stays = any(each.at >= row.ended_at and each.state not in (Seen.GONE, Seen.FAULTED) for each in evidence.states)
    return row.stop_received_at + (wait if stays else min(LAST_WORD, wait))


def assemble(row: Transaction, evidence: Evidence, time_zone: str, *, keys: Known | None = None) -> Assembled | BillingIssue:
    """The usage of one ended transaction at a place in `time_zone`. `keys`: registered public keys of its meter."""
    if row.began_at is None or row.ended_at is None:
        return _issue(row, IssueReason.TIME_UNKNOWN, "its begin or end is not known; look at its frames and bill it by hand")
    began_at, ended_at = _to_ms(row.began_at), _to_ms(row.ended_at)
    if row.offline and TransactionFlag.CLOCK_ABSURD in row.flags:
        return _issue(row, IssueReason.TIME_UNKNOWN, "it happened offline, and the charge point's clock was not set")
    registers = _registers(row, evidence, began_at, ended_at)
    if isinstance(registers, BillingIssue):
        return registers
    if registers.curve.total > deliverable(LARGEST_W, to_ms(ended_at) - to_ms(began_at)):
        odd = TransactionFlag.CLOCK_ABSURD in row.flags or TransactionFlag.CLOCK_BACKWARDS in row.flags
        kwh = registers.curve.total // 1_000_000
        if odd:
            return _issue(row, IssueReason.TIME_UNKNOWN, f"{kwh} kWh cannot have been delivered in the time that its clock gives")
        return _issue(row, IssueReason.ENERGY_ABSURD, f"{kwh} kWh in that time is more than a connector can deliver")
    return _assembled(row, evidence, registers, began_at, ended_at, time_zone, keys)


class _Registers(msgspec.Struct, frozen=True):
    """The points that count, in order, and their curve."""

    points: tuple[TracePoint, ...]
    curve: Curve
    flags: frozenset[str]
    estimated: bool


def _registers(row: Transaction, evidence: Evidence, began_at: datetime, ended_at: datetime) -> _Registers | BillingIssue:
    inside = [each for each in evidence.readings if each.register_mwh is not None and began_at <= each.at <= ended_at]
    points: list[tuple[datetime, int, int, str]] = [(each.at, each.register_mwh or 0, each.sequence, "reading") for each in inside]
    flags: set[str] = set()
    estimated = False
    if row.start_register_wh is not None:
        points.insert(0, (began_at, row.start_register_wh * 1000, row.start_sequence or row.first_sequence, "start"))
    else:
        flags.add("start_register_missing")
        estimated = True
    official = row.stop_register_wh is not None
    if row.stop_register_wh is not None:
        points.append((ended_at, row.stop_register_wh * 1000, row.stop_sequence or row.last_sequence, "stop"))
    else:
        flags.add("stop_register_missing")
        estimated = True
        if not inside and row.last_register_wh is not None:
            points.append((_last_at(row, began_at, ended_at), row.last_register_wh * 1000, row.last_sequence, "reading"))
    if len(points) < 2 and (summed := _summed(row, evidence, began_at, ended_at)) is not None:
        return summed
    if len(points) < 2:
        which = "at its start or its end" if not points else "at its end" if row.start_register_wh is not None else "at its start"
        return _issue(row, IssueReason.REGISTER_MISSING, f"no register {which}; read the meter, then bill it by hand")
    try:
        made = curve([RegisterPoint(to_ms(at), value) for at, value, _, _ in points], official_end=official)
    except RegisterBackwards:
        begin, end = points[0][1] // 1000, points[-1][1] // 1000
        return _issue(row, IssueReason.REGISTER_BACKWARDS, f"the register went from {begin} Wh down to {end} Wh: ask for the meter")
    traced = tuple(
        TracePoint(sequence, at, what, value // 1000, energy // 1000, note)
        for (at, value, sequence, what), energy, note in zip(points, made.energies, made.notes, strict=True)
    )
    return _Registers(traced, made, frozenset(flags) | made.flags, estimated or made.estimated)


def _summed(row: Transaction, evidence: Evidence, began_at: datetime, ended_at: datetime) -> _Registers | None:
    """The sum of interval registers, where no two other registers are known; None where there are none.

    Without the interval at the end, what was used since the last one is not known: then it is estimated.
    """
    found = counted(evidence.intervals, began_at, ended_at)
    if not found:
        return None
    energies = list(accumulate((each.mwh for each in found), initial=0))
    begin = TracePoint(row.start_sequence or row.first_sequence, began_at, "start", row.start_register_wh, 0)
    points = [
        TracePoint(
            each.sequence, each.at, "interval", None, energy // 1000, f"interval of {decimal_text(Decimal(each.mwh) / 1000, 0)} Wh"
        )
        for each, energy in zip(found, energies[1:], strict=True)
    ]
    made = Curve(tuple(energies), tuple(each.note for each in (begin, *points)), frozenset({"interval_registers"}))
    return _Registers((begin, *points), made, made.flags, found[-1].at < ended_at)


def _last_at(row: Transaction, began_at: datetime, ended_at: datetime) -> datetime:
    at = row.last_register_at
    return ended_at if at is None else min(max(_to_ms(at), began_at), ended_at)


def _assembled(
    row: Transaction,
    evidence: Evidence,
    registers: _Registers,
    began_at: datetime,
    ended_at: datetime,
    zone: str,
    keys: Known | None,
) -> Assembled:
    flags = {str(each) for each in row.flags if each in _FLAGS} | registers.flags
    if ended_at <= began_at and registers.curve.total:  # clocks of whole minutes; a period without length could have no price
        ended_at = began_at + NO_TIME
        flags.add("no_duration")
    knots = _knots(registers, began_at, ended_at)
    periods = charging_periods(began_at, ended_at, knots, evidence)
    left_at = None if row.stop_reason in UNPLUGGED else _occupied_until(row, ended_at, evidence)
    if left_at is not None:
        periods.append(ChargingPeriod(ended_at, left_at, PeriodKind.PARKING))
        flags.add("occupied_after_stop")
    priced_from = began_at
    if evidence.reserved is not None and began_at - LONGEST_RESERVATION <= evidence.reserved.at < began_at:
        priced_from = _to_ms(evidence.reserved.at)
        periods.insert(0, ChargingPeriod(priced_from, began_at, PeriodKind.RESERVATION))
    if row.state == TransactionState.ESTIMATED:
        flags.add("end_estimated")
    if not evidence.complete:
        flags.add("evidence_incomplete")
    if row.offline:
        flags.add("offline")
    if _quiet_tail(periods, evidence.states):
        flags.add("idle_unknown")
    signed = verified(evidence.signed, keys)
    flags |= _signed_flags(signed, registers.curve.total)
    return Assembled(
        started_at=priced_from, ended_at=periods[-1].end_at, usage=Usage(tuple(periods), zone),
        trace=_trace(row, evidence, registers, ended_at, periods[-1].end_at),
        estimated=registers.estimated or row.state == TransactionState.ESTIMATED, flags=tuple(sorted(flags)), signed=signed,
        priced_from=priced_from,
    )  # fmt: skip


def _knots(registers: _Registers, began_at: datetime, ended_at: datetime) -> list[Knot]:
    """Instants once, with the highest energy known there; from 0 at the begin to all of it at the end."""
    energies = dict[datetime, int]()
    for point, mwh in zip(registers.points, registers.curve.energies, strict=True):
        energies[point.at] = max(mwh, energies.get(point.at, 0))
    energies[began_at] = 0  # whatever was read at that very instant belongs to the first period
    energies[ended_at] = registers.curve.total
    return [Knot(at, mwh) for at, mwh in sorted(energies.items())]


def _left_at(ended_at: datetime, evidence: Evidence) -> datetime | None:
    """When the connector was free again after the end, as far as it said so."""
    return next((_to_ms(each.at) for each in evidence.states if each.at >= ended_at and each.state is Seen.GONE), None)


def _occupied_until(row: Transaction, ended_at: datetime, evidence: Evidence) -> datetime | None:
    """Until when the vehicle stayed after the end; None where it left at once, or nothing shows that it stayed."""
    if row.state != TransactionState.STOPPED:
        return None
    stayed = [each for each in evidence.states if each.at >= ended_at and each.state in (Seen.NOT_ASKING, Seen.PLUGGED)]
    if not stayed:
        return None
    known = [at for at in (_left_at(ended_at, evidence), evidence.next_began_at) if at is not None]
    until = min(known) if known else _to_ms(stayed[-1].at)
    return until if until - ended_at > LEFT_AT_ONCE else None


def _quiet_tail(periods: Sequence[ChargingPeriod], states: Sequence[StateSeen]) -> bool:
    """A long end without energy, and no word from the connector whether the vehicle still asked for it."""
    tail = timedelta()
    for each in reversed(periods):
        if each.energy_wh or each.kind is not PeriodKind.CHARGING:
            break
        tail += each.end_at - each.start_at
    return tail >= QUIET_TAIL and not any(each.state in (Seen.CHARGING, Seen.NOT_ASKING) for each in states)


def _signed_flags(signed: Sequence[SignedReading], total_mwh: int) -> set[str]:
    """Doubts that signed values raise: one that does not verify, or a pair that says another energy."""
    flags = set[str]()
    if any(each.verdict == INVALID for each in signed):
        flags.add("signature_invalid")
    if any(each.verdict == INVALID and each.key_source == REGISTERED for each in signed):
        flags.add("meter_key_mismatch")
    begin = next((each for each in signed if each.context == "Transaction.Begin"), None)
    end = next((each for each in reversed(signed) if each.context == "Transaction.End"), None)
    if begin is not None and end is not None:
        first, last = energy_wh(begin), energy_wh(end)
        if first is not None and last is not None and abs(last - first - total_mwh // 1000) > 10:
            flags.add("signed_disagrees")
    return flags


def _trace(row: Transaction, evidence: Evidence, registers: _Registers, ended_at: datetime, last_at: datetime) -> CdrTrace:
    states = [TracePoint(each.sequence, each.at, "state", note=each.word) for each in evidence.states if each.at <= last_at]
    after = [
        TracePoint(each.sequence, each.at, "after_stop", _wh(each), note="after the end: not billed")
        for each in evidence.readings
        if each.at > ended_at and not each.aligned and each.register_mwh is not None
    ]
    reserved = [] if evidence.reserved is None else [TracePoint(evidence.reserved.sequence, evidence.reserved.at, "reserved")]
    points = sorted([*reserved, *registers.points, *states, *after], key=lambda each: (each.at, each.sequence))
    return CdrTrace(
        row.first_sequence, max(row.last_sequence, *(each.sequence for each in points)), row.start_sequence, row.stop_sequence,
        row.start_register_wh, row.stop_register_wh, row.readings, tuple(points),
    )  # fmt: skip


def _wh(reading: Reading) -> int:
    return (reading.register_mwh or 0) // 1000


def _to_ms(at: datetime) -> datetime:
    """Instants on a CDR have milliseconds, as in OCPI and OCPP."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _issue(row: Transaction, reason: IssueReason, sentence: str) -> BillingIssue:
    return issue_of(row, reason, sentence)


def issue_of(row: Transaction, reason: IssueReason, sentence: str) -> BillingIssue:
    """An issue about a transaction."""
    return BillingIssue(
        charge_point_id=row.charge_point_id, transaction_id=row.transaction_id, reason=reason, sentence=sentence,
        connector=row.connector, id_token=row.id_token, began_at=row.began_at, ended_at=row.ended_at, energy_wh=row.energy_wh,
        sequence=row.stop_sequence or row.last_sequence,
    )  # fmt: skip
