"""From an energy curve and states to charging periods. Decided here: where a period is cut, its kind, its power.

Energy between two readings is linear; the running energy is rounded down to whole Wh at each cut, so the parts add up to the
register difference (rounded down once). Power and current are constant from one sample to the next.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime

import msgspec

from billing_reports.cdr import ChargingPeriod, PeriodKind
from billing_reports.evidence import Evidence, Reading, Seen, StateSeen
from billing_reports.split import to_ms

DERIVED_MS = 15 * 60_000
"""Registers at most this far apart give a mean power that stands for a missing sample (the metering period of the grid)."""


class Knot(msgspec.Struct, frozen=True):
    """Energy of the transaction at an instant that a report gives."""

    at: datetime
    mwh: int


def charging_periods(began_at: datetime, ended_at: datetime, knots: Sequence[Knot], evidence: Evidence) -> list[ChargingPeriod]:
    """Periods from begin to end. The first knot is at the begin with 0, the last at the end with all energy."""
    kinds = _kinds(began_at, ended_at, evidence.states)
    samples = [each for each in evidence.readings if began_at <= each.at < ended_at]
    inner = {each.at for each in knots} | {at for at, _ in kinds} | {each.at for each in samples}
    cuts = sorted(at for at in inner if began_at < at < ended_at)
    energy = Energies(knots)
    powers = _Samples(samples)
    made: list[ChargingPeriod] = []
    for start, end in zip([began_at, *cuts], [*cuts, ended_at], strict=True):
        wh = energy.wh_at(end) - energy.wh_at(start)
        kind, billable = _kind_at(kinds, start)
        power, current = powers.at(start)
        if power is None:
            power = energy.mean_w(start)
        period = ChargingPeriod(
            start, end, kind, wh, time_ms=None if billable else 0, min_power_w=power, max_power_w=power,
            min_current_ma=current, max_current_ma=current,
        )  # fmt: skip
        if made and _idle_alike(made[-1], period):
            made[-1] = msgspec.structs.replace(made[-1], end_at=end)
        else:
            made.append(period)
    return made


def _idle_alike(one: ChargingPeriod, other: ChargingPeriod) -> bool:
    """Two stretches without energy in which nothing differs are one."""
    same = (one.kind, one.time_ms, one.max_power_w, one.max_current_ma) == (
        other.kind, other.time_ms, other.max_power_w, other.max_current_ma,
    )  # fmt: skip
    return same and one.energy_wh == other.energy_wh == 0


class Energies:
    """Linear between knots, in whole Wh, never falling."""

    def __init__(self, knots: Sequence[Knot]) -> None:
        self._at = [to_ms(each.at) for each in knots]
        self._mwh = [each.mwh for each in knots]

    def wh_at(self, at: datetime) -> int:
        """Whole Wh used up to an instant."""
        ms = to_ms(at)
        index = bisect_right(self._at, ms)
        if index == 0:
            return 0
        if index == len(self._at):
            return self._mwh[-1] // 1000
        before, after = self._at[index - 1], self._at[index]
        grown = (self._mwh[index] - self._mwh[index - 1]) * (ms - before) // (after - before)
        return (self._mwh[index - 1] + grown) // 1000

    def mean_w(self, at: datetime) -> int | None:
        """Mean power between the knots around an instant; None where they are too far apart to say."""
        ms = to_ms(at)
        index = bisect_right(self._at, ms)
        if index in (0, len(self._at)):
            return None
        duration = self._at[index] - self._at[index - 1]
        if not 0 < duration <= DERIVED_MS:
            return None
        return (self._mwh[index] - self._mwh[index - 1]) * 3600 // duration


class _Samples:
    """The last sample of power and current at or before an instant."""

    def __init__(self, samples: Sequence[Reading]) -> None:
        self._power = [(each.at, each.power_w) for each in samples if each.power_w is not None]
        self._current = [(each.at, each.current_ma) for each in samples if each.current_ma is not None]

    def at(self, at: datetime) -> tuple[int | None, int | None]:
        """(W, mA)."""
        return _last(self._power, at), _last(self._current, at)


def _last(samples: Sequence[tuple[datetime, int]], at: datetime) -> int | None:
    index = bisect_right(samples, at, key=lambda each: each[0])
    return samples[index - 1][1] if index else None


_Kinds = list[tuple[datetime, tuple[PeriodKind, bool]]]


def _kinds(began_at: datetime, ended_at: datetime, states: Sequence[StateSeen]) -> _Kinds:
    """(instant, (kind, whether its time is billable)). Before anything is said the vehicle is taken to ask for power.

    EVConnected and Preparing are waiting for the first charge and, once it has charged, not asking any more. While faulted, nobody
    pays for time.
    """
    made: _Kinds = [(began_at, (PeriodKind.CHARGING, True))]
    charged = False
    for each in states:
        if each.at >= ended_at:
            break
        if each.state in (Seen.PLUGGED, Seen.GONE):
            continue
        charged = charged or each.state is Seen.CHARGING
        made.append((max(each.at, began_at), _meaning(each.state, charged)))
    return made


def _meaning(state: Seen, charged: bool) -> tuple[PeriodKind, bool]:
    if state is Seen.FAULTED:
        return PeriodKind.CHARGING, False
    idle = state is Seen.NOT_ASKING or (state is Seen.PREPARING and charged)
    return (PeriodKind.PARKING if idle else PeriodKind.CHARGING), True


def _kind_at(kinds: _Kinds, at: datetime) -> tuple[PeriodKind, bool]:
    index = bisect_right(kinds, at, key=lambda each: each[0])
    return kinds[index - 1][1]
