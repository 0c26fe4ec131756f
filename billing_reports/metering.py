"""From a usage to billed volumes. Decided here: slices in which nothing changes, what is billed of each, the step size.

Rules of OCPI 2.3.0 (mod_tariffs, mod_cdrs), integers only: mWh, ms, and prices of `compiled.Compiled`. No amount is rounded here.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from billing_reports.cdr import ChargingPeriod, PeriodKind, Usage
from billing_reports.compiled import Choice, Compiled, Component
from billing_reports.split import cut_points, from_ms, to_ms
from billing_reports.tariff import Dimension
from chargenet.errors import ChargewatchError

_CHARGING, _PARKING, _RESERVATION = PeriodKind.CHARGING, PeriodKind.PARKING, PeriodKind.RESERVATION


class UsageError(ChargewatchError):
    """A usage that cannot be priced: `where` names the period, the text what is wrong with it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"usage: {where}: {problem}")
        self.where, self.problem = where, problem


class Slice(msgspec.Struct, gc=False):
    """A stretch in which every dimension has one price. Grows while neighbours have the same. Instants and times ms, energy mWh."""

    start: int
    end: int
    kind: PeriodKind
    source: int
    energy: int
    time: int
    choice: Choice
    energy_price: int
    time_price: int


class Item(msgspec.Struct, gc=False):
    """One dimension of one slice. `component` None: free. `billed` has what the step size added."""

    slice: int
    dimension: Dimension
    component: Component | None
    price: int
    measured: int
    billed: int


class Metering:
    """Cuts the periods of one usage (those whose tariff is in `only`, if given) into slices; `flags` tells the doubts."""

    def __init__(self, compiled: Compiled, usage: Usage, idle_grace_ms: int = 0, only: frozenset[str | None] | None = None) -> None:
        self._compiled, self._expired, self._grace = compiled, usage.reservation_expired, idle_grace_ms
        self.slices: list[Slice] = []
        self.flags: set[str] = set()
        self._used = 0
        self._began: int | None = None
        self._idle_since: int | None = None
        ended = 0
        for source, period in enumerate(usage.periods):
            start, end = to_ms(period.start_at), to_ms(period.end_at)
            if end < start or (source and start < ended):
                raise UsageError(f"periods[{source}]", _disorder(start, end, ended))
            ended = end
            self._take(source, period, start, end, only is None or period.tariff_id in only)

    def _take(self, source: int, period: ChargingPeriod, start: int, end: int, wanted: bool) -> None:
        """Cuts one period; one of another tariff only moves the clocks and the energy so far."""
        kind = period.kind
        energy = 1000 * period.energy_wh + period.fraction_mwh
        if kind is _PARKING:
            if self._idle_since is None:
                self._idle_since = start
        else:
            self._idle_since = None
        if kind is not _RESERVATION and self._began is None:
            self._began = start
        if wanted:
            compiled = self._compiled
            base = compiled.all if compiled.power is None and compiled.current is None else self._electrical(period)
            time = end - start if period.time_ms is None else period.time_ms
            self._cut(source, kind, start, end, energy, time, base)
        if kind is not _RESERVATION:
            self._used += energy

    def _cut(self, source: int, kind: PeriodKind, start: int, end: int, energy: int, time: int, base: int) -> None:
        times, edges = self._times(start, end), self._compiled.energy.edges
        points = cut_points(times, edges, start, end, energy, self._used) if times or edges else ()
        at, reached, passed, duration = start, 0, 0, end - start
        for cut, level in points:
            if cut == at and level == reached:
                continue
            until = cut - start if time == duration else time * (cut - start) // max(duration, 1)
            self._add(source, kind, at, cut, reached, level - reached, until - passed, base)
            at, reached, passed = cut, level, until
        self._add(source, kind, at, end, reached, energy - reached, time - passed, base)

    def _times(self, start: int, end: int) -> list[int]:
        """Instants at which something other than the energy may change inside a period."""
        compiled = self._compiled
        found = compiled.calendar.changes(start, end)
        if compiled.series:
            found = [*found, *(at for table in compiled.series for at in table.changes(start, end))]
        if self._began is not None and compiled.duration.edges:
            found = [*found, *(self._began + edge for edge in compiled.duration.edges)]
        if self._grace and self._idle_since is not None:
            found = [*found, self._idle_since + self._grace]
        return found

    def _electrical(self, period: ChargingPeriod) -> int:
        """Elements whose power and current restrictions hold. Who does not charge draws 0; unknown while charging is flagged."""
        compiled, mask = self._compiled, self._compiled.all
        idle = 0 if period.kind is not _CHARGING else None
        for name, triple, least, most in (
            ("power", compiled.power, period.min_power_w, period.max_power_w),
            ("current", compiled.current, period.min_current_ma, period.max_current_ma),
        ):
            if triple is None:
                continue
            lows, highs, both = triple
            low, high = (idle if least is None else least), (idle if most is None else most)
            mask &= lows.mask(low) & highs.mask(high)
            if low is None or high is None:
                self.flags.add(f"{name}_unknown")
            elif both.mask(low) != both.mask(high):
                self.flags.add(f"{name}_range")
        return mask

    def _add(self, source: int, kind: PeriodKind, start: int, end: int, reached: int, energy: int, time: int, base: int) -> None:
        compiled = self._compiled
        mask = base & compiled.calendar.mask_at(start)
        if compiled.energy.edges:
            used = self._used + reached
            # Where energy runs back it is below a threshold as soon as it leaves it.
            mask &= compiled.energy.mask(used if energy >= 0 else used - 1)
        if compiled.duration.edges:
            mask &= compiled.duration.mask(0 if self._began is None else start - self._began)
        graced = self._grace > 0 and self._idle_since is not None and start < self._idle_since + self._grace
        choice = compiled.choice(mask, kind, graced, self._expired)
        energy_price = time_price = 0
        if choice.energy is not None:
            energy_price = choice.energy.price if choice.energy.series is None else choice.energy.series.at(start)
        if choice.time is not None:
            time_price = choice.time.price if choice.time.series is None else choice.time.series.at(start)
        last = self.slices[-1] if self.slices else None
        if (
            last is not None
            and last.choice is choice
            and last.end == start
            and last.kind is kind
            and (last.energy < 0) == (energy < 0)
            and (not choice.varies or (last.energy_price == energy_price and last.time_price == time_price))
        ):
            last.end, last.energy, last.time = end, last.energy + energy, last.time + time
        else:
            self.slices.append(Slice(start, end, kind, source, energy, time, choice, energy_price, time_price))


def _disorder(start: int, end: int, ended: int) -> str:
    if end < start:
        return f"ends at {from_ms(end).isoformat()}, before it begins at {from_ms(start).isoformat()}"
    return f"begins at {from_ms(start).isoformat()}, before the one before it ends at {from_ms(ended).isoformat()}"


class Counter:
    """What is billed of some slices: one item per dimension that was used, a flat fee once, and the step size once.

    `flat` False: the transaction has paid its flat fee already, or pays none.
    """

    def __init__(self, slices: Sequence[Slice], *, flat: bool = True) -> None:
        self.items: list[Item] = []
        self._energy, self._last_energy = 0, -1
        self._times: dict[PeriodKind, int] = {}
        self._last_timed = self._last_reserved = -1
        self._owed = {_CHARGING: flat, _PARKING: flat, _RESERVATION: True}
        for index, each in enumerate(slices):
            self._count(index, each)
        self._round_energy()
        self._round_time(slices, self._last_timed)
        self._round_time(slices, self._last_reserved)

    @property
    def flat_charged(self) -> bool:
        """Whether the flat fee of charging or parking is among the items."""
        return any(each.dimension is Dimension.FLAT for each in self.items) and not self._owed[_CHARGING]

    def _count(self, index: int, each: Slice) -> None:
        choice, kind, items = each.choice, each.kind, self.items
        flat = choice.flat
        if flat is not None and self._owed[kind]:
            items.append(Item(index, Dimension.FLAT, flat, flat.price, 1, 1))
            if kind is _RESERVATION:
                self._owed[kind] = False
            else:
                self._owed[_CHARGING] = self._owed[_PARKING] = False
        energy = each.energy
        if energy:
            if choice.energy is not None and energy > 0:
                self._energy += energy
                self._last_energy = len(items)
            items.append(Item(index, Dimension.ENERGY, choice.energy, each.energy_price, energy, energy))
        time = each.time
        if time:
            if choice.time is not None:
                self._times[kind] = self._times.get(kind, 0) + time
                if kind is _RESERVATION:
                    self._last_reserved = len(items)
                else:
                    self._last_timed = len(items)
            dimension = Dimension.PARKING_TIME if kind is _PARKING else Dimension.TIME
            items.append(Item(index, dimension, choice.time, each.time_price, time, time))

    def _round_energy(self) -> None:
        """Once per tariff and transaction; what was delivered back is never rounded."""
        if self._last_energy >= 0:
            item = self.items[self._last_energy]
            assert item.component is not None
            item.billed += -self._energy % item.component.step

    def _round_time(self, slices: Sequence[Slice], last: int) -> None:
        """Charging and parking together: only the dimension that was billed last is rounded, by its own total."""
        if last >= 0:
            item = self.items[last]
            assert item.component is not None
            item.billed += -self._times[slices[item.slice].kind] % item.component.step
