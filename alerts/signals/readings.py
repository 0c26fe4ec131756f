"""Meter values: registers, power and their pace. Decided here: which readings count, and what a meter does not do.

Only the connector's own meter counts (location Outlet, no phase; powers of single phases are added up). A reading taken before one
that came earlier is late and says nothing about the order of registers.
"""

from __future__ import annotations

from datetime import datetime

from alerts.reading import Reading, read
from alerts.signals.clocks import sample
from alerts.signals.connector import ConnectorSignals, OpenTransaction
from alerts.signals.marks import ID_LENGTH, Step, push
from alerts.signals.point import PointSignals
from chargenet import events as e
from chargenet.events import Fact

KEPT_STEPS = 8
AHEAD_S = 300.0
"""A device's instant further in our future than this orders nothing."""
OLDEST_S = 400 * 86_400.0
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


# One function of what would be five: nearly every fact of a network passes here, and a call costs as much as a step of it.
def measured(point: PointSignals, fact: Fact, event: e.MeasurementsTaken) -> None:
    """MeterValues, or the values inside a transaction's report."""
    transaction = _transaction(point, event)
    label = event.connector.label if event.connector else transaction.connector if transaction else None
    reading, now = read(event.measurements), fact.received_at
    sample(point, fact, event.measured_at)
    connector = None if label is None else point.connectors.get(label)
    first = False
    if transaction is not None:
        _pace(point, transaction, connector if transaction.connector == label else None, reading, fact)
        first = transaction.readings <= 1
        if reading.register_wh is not None:
            transaction_register(transaction, reading.register_wh, fact)
    if label is None:
        return
    connector = connector or point.connector(label)
    connector.reading_at = now
    power_w, register_wh = reading.power_w, reading.register_wh
    if power_w is not None and power_w > (connector.power_peak_w or 0.0):
        connector.power_peak_w = power_w
    if register_wh is not None and (first or not reading.begins):  # a begin that comes again with the stop is old
        connector_register(connector, register_wh, fact, event.measured_at, begins=first)


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


def _pace(
    point: PointSignals, transaction: OpenTransaction, connector: ConnectorSignals | None, reading: Reading, fact: Fact
) -> None:
    """How often readings come, and the powers among them. `connector`: the transaction's own, where that is known already.

    Before the register of the same frame: what flowed until now may be what it counts.
    """
    now, last_at = fact.received_at, transaction.reading_at
    elapsed_s = None if last_at is None else (now - last_at).total_seconds()
    if elapsed_s is not None and transaction.connector is not None and 1.0 < elapsed_s < LONGEST_PACE_S:
        connector = connector or point.connector(transaction.connector)
        usual_s = connector.reading_every_s
        connector.reading_every_s = elapsed_s if usual_s is None else usual_s + PACE_WEIGHT * (elapsed_s - usual_s)
    transaction.readings += 1
    transaction.reading_at, transaction.reading_sequence = now, fact.sequence
    if reading.offered_w is not None:
        transaction.offered_w = reading.offered_w
    if reading.soc_percent is not None:
        transaction.soc_percent = reading.soc_percent
    if reading.power_w is not None:
        _power(transaction, reading.power_w, elapsed_s if transaction.power_at is last_at else None, fact)


def _power(transaction: OpenTransaction, power_w: float, elapsed_s: float | None, fact: Fact) -> None:
    """`elapsed_s`: since the last power, where that is known already."""
    power_at, before_w, peak_w = transaction.power_at, transaction.power_w, transaction.power_peak_w
    if power_at is not None and before_w is not None:
        hours = ((fact.received_at - power_at).total_seconds() if elapsed_s is None else elapsed_s) / 3600
        mean_w = (before_w + power_w) / 2
        if hours > 0 and mean_w > 0.0:
            transaction.flowed_wh += (hours if hours < LONGEST_FLOW_H else LONGEST_FLOW_H) * mean_w
    transaction.power_w, transaction.power_at, transaction.power_sequence = power_w, fact.received_at, fact.sequence
    if peak_w is None or power_w > peak_w:
        transaction.power_peak_w = power_w if peak_w is not None or power_w > 0.0 else 0.0


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
    now, last_at, before_wh = fact.received_at, connector.register_measured_at, connector.register_wh
    at = measured_at if measured_at is not None and -OLDEST_S <= (measured_at - now).total_seconds() <= AHEAD_S else None
    if at is not None and last_at is not None and at < last_at:
        return
    if before_wh is not None and connector.register_at is not None:
        if register_wh < before_wh - TOLERANCE_WH:
            if not (begins and 0 <= register_wh < FIRST_OF_SESSION_WH):
                push(connector.drops, _step(connector, register_wh, fact, at), KEPT_STEPS)
        elif register_wh - before_wh > JUMP_WH and _jumped(step := _step(connector, register_wh, fact, at)):
            push(connector.jumps, step, KEPT_STEPS)
    connector.register_wh, connector.register_at, connector.register_sequence = register_wh, now, fact.sequence
    connector.register_measured_at = at


def _step(connector: ConnectorSignals, register_wh: float, fact: Fact, at: datetime | None) -> Step:
    """From the connector's last register to this one. `at`: by a device clock that can order things."""
    assert connector.register_wh is not None
    assert connector.register_at is not None
    last_at, elapsed_s = connector.register_measured_at, (fact.received_at - connector.register_at).total_seconds()
    if at is not None and last_at is not None:
        elapsed_s = max(elapsed_s, (at - last_at).total_seconds())
    before_wh, before_sequence = connector.register_wh, connector.register_sequence
    return Step(
        fact.received_at, fact.sequence, before_wh, register_wh, before_sequence, max(0.0, elapsed_s), connector.power_peak_w
    )


def _jumped(step: Step) -> bool:
    risen_wh = step.after_wh - step.before_wh
    most_w = NO_PEAK_W if step.peak_w is None else max(step.peak_w, AC_W)
    return risen_wh > JUMP_WH + JUMP_RATIO * most_w * step.elapsed_s / 3600
