"""Meter values: registers, power and their pace. Decided here: which readings count, and what a meter does not do.

Only the connector's own meter counts (location Outlet, no phase; powers of single phases are added up). A reading taken before one
that came earlier is late and says nothing about the order of registers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.signals.clocks import sample
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from alerts.signals.marks import ID_LENGTH, Step, push
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Fact
from chargenet.model.measurement import ENERGY_REGISTER, POWER, POWER_OFFERED, SOC, Measurement

KEPT_STEPS = 8
AHEAD = timedelta(minutes=5)
"""A device's instant further in our future than this orders nothing."""
OLDEST = timedelta(days=400)
TOLERANCE_WH = 1.0
"""Rounding between a register and the whole watt-hours of meterStart and meterStop."""
FIRST_OF_SESSION_WH = 1000.0
"""A register that begins a transaction below this after a higher one counts each session anew, as some meters do."""
NO_PEAK_W = 400_000.0
AC_W = 22_000.0
JUMP_RATIO = 1.2
"""Steps that need less than this times what the connector can give are not even kept; RuleSettings judges the others."""
JUMP_WH = 500.0
LONGEST_FLOW_H = 0.25
"""Power is taken to have flowed on between two readings of it for at most a quarter of an hour."""
LONGEST_PACE_S = 7200.0
PACE_WEIGHT = 0.3


class Reading(msgspec.Struct, gc=False):
    """What one instant's measurements say that matters here."""

    register_wh: float | None = None
    begins: bool = False
    """The register is that of a transaction's begin."""
    power_w: float | None = None
    offered_w: float | None = None
    soc_percent: float | None = None


def measured(point: PointSignals, fact: Fact, event: e.MeasurementsTaken) -> None:
    """MeterValues, or the values inside a transaction's report."""
    transaction = _transaction(point, event)
    label = event.connector.label if event.connector else transaction.connector if transaction else None
    reading = read(event.measurements)
    sample(point, fact, event.measured_at)
    if transaction is not None:
        _pace(point, transaction, fact)
        _powers(transaction, reading, fact)
        if reading.register_wh is not None:
            transaction_register(transaction, reading.register_wh, fact)
    if label is None:
        return
    connector = point.connector(label)
    connector.reading_at = fact.received_at
    if reading.power_w is not None and reading.power_w > (connector.power_peak_w or 0.0):
        connector.power_peak_w = reading.power_w
    first = transaction is not None and transaction.readings <= 1
    if reading.register_wh is not None and (first or not reading.begins):  # a begin that comes again with the stop is old
        connector_register(connector, reading.register_wh, fact, event.measured_at, begins=first)


def read(measurements: Sequence[Measurement]) -> Reading:
    """Of several values of one measurand the last counts."""
    reading, phases_w, phases = Reading(), 0.0, 0
    for each in measurements:
        measurand = each.measurand
        if each.location != "Outlet":
            if measurand == SOC:
                reading.soc_percent = each.value
        elif measurand == ENERGY_REGISTER and each.phase is None:
            reading.register_wh, reading.begins = each.value, each.context == "Transaction.Begin"
        elif measurand == POWER:
            if each.phase is None:
                reading.power_w = each.value
            else:
                phases_w, phases = phases_w + each.value, phases + 1
        elif measurand == POWER_OFFERED and each.phase is None:
            reading.offered_w = each.value
        elif measurand == SOC:
            reading.soc_percent = each.value
    if reading.power_w is None and phases:
        reading.power_w = phases_w
    return reading


def _transaction(point: PointSignals, event: e.MeasurementsTaken) -> OpenTransaction | None:
    """By its id; some charge points send readings without one, or with 0: then the connector's only open transaction."""
    if event.transaction_id is not None:
        known = point.transactions.get(event.transaction_id[:ID_LENGTH])
        if known is not None:
            return known
    if event.connector is None or not point.transactions:
        return None
    here = [each for each in point.transactions.values() if each.connector == event.connector.label]
    return here[0] if len(here) == 1 and event.transaction_id is None else None


def _pace(point: PointSignals, transaction: OpenTransaction, fact: Fact) -> None:
    if transaction.reading_at is not None and transaction.connector is not None:
        elapsed_s = (fact.received_at - transaction.reading_at).total_seconds()
        if 1.0 < elapsed_s < LONGEST_PACE_S:
            connector = point.connector(transaction.connector)
            usual_s = connector.reading_every_s
            connector.reading_every_s = elapsed_s if usual_s is None else usual_s + PACE_WEIGHT * (elapsed_s - usual_s)
    transaction.readings += 1
    transaction.reading_at, transaction.reading_sequence = fact.received_at, fact.sequence


def _powers(transaction: OpenTransaction, reading: Reading, fact: Fact) -> None:
    """Before the register of the same frame: what flowed until now may be what it counts."""
    if reading.offered_w is not None:
        transaction.offered_w = reading.offered_w
    if reading.soc_percent is not None:
        transaction.soc_percent = reading.soc_percent
    if reading.power_w is None:
        return
    if transaction.power_at is not None and transaction.power_w is not None:
        hours = (fact.received_at - transaction.power_at).total_seconds() / 3600
        if hours > 0:
            transaction.flowed_wh += min(hours, LONGEST_FLOW_H) * max(0.0, (transaction.power_w + reading.power_w) / 2)
    transaction.power_w, transaction.power_at, transaction.power_sequence = reading.power_w, fact.received_at, fact.sequence
    transaction.power_peak_w = max(transaction.power_peak_w or 0.0, reading.power_w)


def transaction_register(transaction: OpenTransaction, register_wh: float, fact: Fact) -> None:
    """The first is a rise from nothing. Any change is a sign of life; running backwards is the connector's matter."""
    before_wh = transaction.register_wh
    if transaction.start_register_wh is None:
        transaction.start_register_wh = register_wh
    if before_wh is None or abs(register_wh - before_wh) >= TOLERANCE_WH:
        transaction.grown_at, transaction.grown_sequence = fact.received_at, fact.sequence
        transaction.still, transaction.flowed_wh = 0, 0.0
        transaction.register_wh = register_wh
    elif transaction.register_sequence != fact.sequence:
        transaction.still += 1
    transaction.register_at, transaction.register_sequence = fact.received_at, fact.sequence


def connector_register(
    connector: ConnectorSignals, register_wh: float, fact: Fact, measured_at: datetime | None, *, begins: bool = False
) -> None:
    """Notes what a meter does not do: running backwards, or rising by more than can flow."""
    at = measured_at if measured_at is not None and _orders(measured_at, fact.received_at) else None
    last_at, before_wh = connector.register_measured_at, connector.register_wh
    if at is not None and last_at is not None and at < last_at:
        return
    if before_wh is not None and connector.register_at is not None:
        elapsed_s = (fact.received_at - connector.register_at).total_seconds()
        if at is not None and last_at is not None:
            elapsed_s = max(elapsed_s, (at - last_at).total_seconds())
        step = Step(
            fact.received_at,
            fact.sequence,
            before_wh,
            register_wh,
            connector.register_sequence,
            max(0.0, elapsed_s),
            connector.power_peak_w,
        )
        if register_wh < before_wh - TOLERANCE_WH:
            if not (begins and 0 <= register_wh < FIRST_OF_SESSION_WH):
                push(connector.drops, step, KEPT_STEPS)
        elif _jumped(step):
            push(connector.jumps, step, KEPT_STEPS)
    connector.register_wh, connector.register_at, connector.register_sequence = register_wh, fact.received_at, fact.sequence
    connector.register_measured_at = at


def _orders(at: datetime, received_at: datetime) -> bool:
    return received_at - OLDEST <= at <= received_at + AHEAD


def _jumped(step: Step) -> bool:
    risen_wh = step.after_wh - step.before_wh
    most_w = NO_PEAK_W if step.peak_w is None else max(step.peak_w, AC_W)
    return risen_wh > JUMP_WH + JUMP_RATIO * most_w * step.elapsed_s / 3600
