"""How much is at risk of each signal in both groups, and for how long it has been. Decided here: the sums, exact in any order.

Weights are whole numbers, so that adding and removing charge points in any order, or all at once after a restart, gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from firmware_orchestrator.evidence.signals import RATES, TABLE, AtRisk, Signal
from firmware_orchestrator.evidence.state import Counted, Times
from firmware_orchestrator.evidence.symptoms import CONTROL, NEITHER, TREATED, Row

INDEX: dict[Signal, int] = {signal: index for index, signal in enumerate(RATES)}
ALL = (1 << len(RATES)) - 1
CHARGING = sum(1 << INDEX[signal] for signal in RATES if TABLE[signal].at_risk is AtRisk.CHARGING)


class Sum(msgspec.Struct):
    """Of one signal, each as (control, treated): charge points at risk, their weights, and those that had no event yet."""

    number: list[int]
    weight: list[int]
    fresh: list[int]


class Spent(msgspec.Struct, array_like=True):
    """Of one signal: time at risk until `last_us`, each as (control, treated)."""

    last_us: int
    time_us: list[int]
    expected: list[float]


class Risk:
    """The sums of all signals. `spent` is what must be stored; the rest follows from the rows."""

    def __init__(self, at_us: int, rows: Iterable[Row] = (), spent: list[Spent] | None = None) -> None:
        self.spent = spent or [Spent(at_us, [0, 0], [0.0, 0.0]) for _ in RATES]
        self.sums = [Sum([0, 0], [0, 0], [0, 0]) for _ in RATES]
        self.control = 0
        """Charge points in the control group, at risk or not."""
        for row in rows:
            self.control += row.risk_group == CONTROL
            if row.risk_group != NEITHER:
                self._add(row, row.risk, 1)

    def move(self, row: Row, risk: int, had: int, at_us: int) -> None:
        """From now on `row` is at risk of the signals in the bits of `risk`, in its present group."""
        if (row.risk_group, row.risk, row.had) == (row.group, risk, had):
            return
        changed = row.risk | risk
        for index in range(len(RATES)):
            if changed >> index & 1:
                self._spend(index, at_us)
        if row.risk_group != NEITHER:
            self._add(row, row.risk, -1)
        self.control += (row.group == CONTROL) - (row.risk_group == CONTROL)
        row.risk_group, row.risk, row.had = row.group, risk, had
        if row.group != NEITHER:
            self._add(row, risk, 1)

    def counted(self, signal: Signal, rows: Iterable[Row], at_us: int) -> Counted:
        """The events of `rows` at this instant with what was at risk just before."""
        index = INDEX[signal]
        self._spend(index, at_us)
        events, first = [0, 0], [0, 0]
        for row in rows:
            events[row.risk_group] += 1
            first[row.risk_group] += not row.had >> index & 1
        sums, spent = self.sums[index], self.spent[index]
        return Counted(
            signal,
            events[TREATED],
            events[CONTROL],
            float(sums.weight[TREATED]),
            float(sums.weight[CONTROL]),
            spent.time_us[TREATED],
            spent.time_us[CONTROL],
            first[TREATED],
            first[CONTROL],
            sums.fresh[TREATED],
            sums.fresh[CONTROL],
        )

    def times(self, at_us: int) -> dict[Signal, Times]:
        """Time at risk up to now; changes nothing."""
        return {signal: self._times(index, at_us) for signal, index in INDEX.items()}

    def _times(self, index: int, at_us: int) -> Times:
        spent, sums = self.spent[index], self.sums[index]
        passed = at_us - spent.last_us
        time = [spent.time_us[group] + sums.number[group] * passed for group in (CONTROL, TREATED)]
        expected = [spent.expected[group] + float(sums.weight[group]) * passed for group in (CONTROL, TREATED)]
        return Times(time[TREATED], time[CONTROL], expected[TREATED], expected[CONTROL])

    def _spend(self, index: int, at_us: int) -> None:
        spent, sums = self.spent[index], self.sums[index]
        passed = at_us - spent.last_us
        if passed <= 0:
            return
        spent.last_us = at_us
        for group in (CONTROL, TREATED):
            spent.time_us[group] += sums.number[group] * passed
            spent.expected[group] += float(sums.weight[group]) * passed

    def _add(self, row: Row, risk: int, sign: int) -> None:
        group = row.risk_group
        for index, sums in enumerate(self.sums):
            if risk >> index & 1:
                sums.number[group] += sign
                sums.weight[group] += sign * row.weights[index]
                sums.fresh[group] += sign * (not row.had >> index & 1)
