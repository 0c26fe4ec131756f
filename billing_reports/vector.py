"""Many usages priced at once with numpy: "what would tariff B have earned". Decided here: nothing that `price` does not decide.

The same rules as `metering` and `breakdown` on columns, in the same integer units, so results are equal and not close; a property
test holds them so. The scalar engine stays the truth of statements. Refused here: price series, periods of several tariffs, energy
that runs back, tariffs of more than 62 elements, limits that lack their figure after taxes, and sums beyond 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.cdr import ChargingPeriod, PeriodKind, Price, Usage
from billing_reports.compiled import Bands, Choice, Compiled, Component
from billing_reports.money import PICO, from_pico, round_half_up
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.price import zone_of
from billing_reports.split import to_ms
from billing_reports.tariff import Tariff
from billing_reports.vector_slices import Integers, Periods, Slices, calendar_columns, cut
from chargenet.errors import ChargewatchError

Booleans = NDArray[np.bool_]
KINDS = (PeriodKind.CHARGING, PeriodKind.PARKING, PeriodKind.RESERVATION)
_CHARGING, _PARKING, _RESERVATION = range(3)
_UNKNOWN = -1
_LARGEST = 2**62
_NEVER = 2**61
_FLAVOURS = 12
_MOST_STATES = 2**21
_MOST_ELEMENTS = 62


class NotVectorisable(ChargewatchError):
    """A tariff, policy or usage that only the scalar engine can price; the text says why."""


class History(msgspec.Struct, frozen=True):
    """Usages of one time zone as columns, one row a charging period, in order. Instants ms UTC, energies mWh, -1: not known.

    `first` has the row of each usage's first period, and at the end the number of rows.
    """

    time_zone: str
    first: Integers
    expired: Booleans
    kind: Integers
    start: Integers
    end: Integers
    energy: Integers
    time: Integers
    min_power: Integers
    max_power: Integers
    min_current: Integers
    max_current: Integers

    def __len__(self) -> int:
        return len(self.first) - 1


class Earned(msgspec.Struct, frozen=True):
    """What each usage costs, in units of 1/`denominator` of the currency."""

    currency: str
    denominator: int
    before_taxes: Integers
    after_taxes: Integers

    def price(self, index: int) -> Price:
        """One usage's price, as the scalar engine says it."""
        return Price(self._amount(int(self.before_taxes[index])), self._amount(int(self.after_taxes[index])))

    def total(self) -> Price:
        """The exact sum, rounded once."""
        return Price(self._amount(_exact_sum(self.before_taxes)), self._amount(_exact_sum(self.after_taxes)))

    def _amount(self, units: int) -> Decimal:
        return from_pico(round_half_up(units * PICO, self.denominator))


def history_of(usages: Sequence[Usage]) -> History:
    """Columns of usages of one time zone. NotVectorisable for several zones, energy that ran back, or named tariffs."""
    zones = {each.time_zone for each in usages}
    if len(zones) > 1:
        raise NotVectorisable(f"usages of {len(zones)} time zones: price each zone on its own")
    if not all(each.periods for each in usages):
        raise NotVectorisable("a usage without periods")
    rows = [_row(each) for usage in usages for each in usage.periods]
    columns = np.array(rows, np.int64).reshape(-1, 9).T
    first = np.cumsum([0, *(len(each.periods) for each in usages)]).astype(np.int64)
    expired = np.array([each.reservation_expired for each in usages], np.bool_)
    return History(zones.pop() if zones else "UTC", first, expired, *columns)


def _row(each: ChargingPeriod) -> tuple[int, ...]:
    if each.energy_wh < 0:
        raise NotVectorisable(
            f"the period of {each.start_at.isoformat()} delivered energy back: only the scalar engine prices that"
        )
    if each.tariff_id is not None:
        raise NotVectorisable(f"the period of {each.start_at.isoformat()} names its own tariff: only the scalar engine prices that")
    start, end = to_ms(each.start_at), to_ms(each.end_at)
    time = end - start if each.time_ms is None else each.time_ms
    electrical = (each.min_power_w, each.max_power_w, each.min_current_ma, each.max_current_ma)
    energy = 1000 * each.energy_wh + each.fraction_mwh
    return KINDS.index(each.kind), start, end, energy, time, *(_UNKNOWN if value is None else value for value in electrical)


def price_history(history: History, tariff: Tariff, policy: PricingPolicy = DEFAULT) -> Earned:
    """What every usage would have cost under `tariff`. Raises NotVectorisable, TariffError."""
    compiled = Compiled(tariff, zone_of(history.time_zone), {})
    _refuse(compiled, policy)
    return _Batch(compiled, history, policy).earned()


def _refuse(compiled: Compiled, policy: PricingPolicy) -> None:
    tariff = compiled.tariff
    if any(each.series is not None for held in compiled.components for each in held):
        raise NotVectorisable(f"tariff {tariff.id} follows a price series")
    if len(tariff.elements) > _MOST_ELEMENTS:
        raise NotVectorisable(f"tariff {tariff.id} has {len(tariff.elements)} elements; {_MOST_ELEMENTS} is the most here")
    if any(each is not None and each.after_taxes is None for each in (tariff.min_price, tariff.max_price)):
        raise NotVectorisable(f"tariff {tariff.id} has a limit without its figure after taxes")
    if policy.idle_cap is not None:
        raise NotVectorisable("a cap on parking is spread over taxes by the scalar engine alone")


class _Batch:
    """One run. What prices a slice is looked up by a code of its state; what comes of it is summed per usage."""

    def __init__(self, compiled: Compiled, history: History, policy: PricingPolicy) -> None:
        self.compiled, self.history, self.policy = compiled, history, policy
        self.grace = 1000 * policy.idle_grace_s
        self.usage = np.repeat(np.arange(len(history)), np.diff(history.first))
        self.net = np.zeros(len(history), np.int64)
        self.gross = self.net.copy()

    def earned(self) -> Earned:
        """Slices, then dimension by dimension, then limits."""
        compiled, history = self.compiled, self.history
        if len(history):
            periods = self._periods()
            calendar = calendar_columns(compiled.calendar, int(history.start.min()), int(history.end.max()))
            slices = cut(periods, calendar[0], compiled.energy.edges, compiled.duration.edges, self.grace)
            self._count(periods, slices, self._states(periods, slices, calendar))
        if self.policy.free_vend:
            self.net[:], self.gross[:] = 0, 0
        return Earned(compiled.tariff.currency, compiled.denominator, self.net, self.gross)

    def _periods(self) -> Periods:
        history, first = self.history, self.history.first[:-1]
        begun = history.kind != _RESERVATION
        rows = np.arange(len(history.start))
        opening = np.minimum.reduceat(np.where(begun, rows, len(rows)), first)[self.usage]
        began = np.where(rows >= opening, np.append(history.start, _NEVER)[opening], _NEVER)
        parked = history.kind == _PARKING
        fresh = parked & ~np.append(False, parked[:-1] & (self.usage[1:] == self.usage[:-1]))
        since = history.start[np.maximum.accumulate(np.where(fresh, rows, 0))]
        own = np.where(begun, history.energy, 0)
        running = np.cumsum(own) - own
        used = running - running[first][self.usage]
        return Periods(self.usage, history.kind, history.start, history.end, history.energy, history.time, used, began, since)

    def _states(self, periods: Periods, slices: Slices, calendar: tuple[Integers, Integers]) -> _States:
        """A code for each slice: which of each table's masks holds, which kind it is, whether graced, whether expired."""
        row, compiled, states = slices.period, self.compiled, _States(len(slices.period))
        masks, codes = np.unique(calendar[1], return_inverse=True)
        states.add(codes[np.searchsorted(calendar[0], slices.start, "right") - 1], [int(each) for each in masks])
        if compiled.energy.edges:
            states.add(_band(compiled.energy, periods.used[row] + slices.reached), compiled.energy.masks)
        if compiled.duration.edges:
            elapsed = np.maximum(slices.start - periods.began[row], 0)
            states.add(_band(compiled.duration, elapsed), compiled.duration.masks)
        for bands, values in self._electrical():
            states.add(_band(bands, values)[row], (*bands.masks, bands.unknown))
        kind = periods.kind[row]
        graced = (kind == _PARKING) & (slices.start < periods.idle_since[row] + self.grace)
        expired = (kind == _RESERVATION) & self.history.expired[periods.usage[row]]
        states.finish(kind * 4 + graced * 2 + expired)
        return states

    def _electrical(self) -> list[tuple[Bands, Integers]]:
        history, found = self.history, []
        for triple, least, most in (
            (self.compiled.power, history.min_power, history.max_power),
            (self.compiled.current, history.min_current, history.max_current),
        ):
            for index, values in enumerate((least, most) if triple is not None else ()):
                idle = (history.kind != _CHARGING) & (values == _UNKNOWN)
                found.append(((triple or ())[index], np.where(idle, 0, values)))
        return found

    def _count(self, periods: Periods, slices: Slices, states: _States) -> None:
        usage = periods.usage[slices.period]
        starts = np.searchsorted(usage, np.arange(len(self.history)))
        rates = _Rates(states, self.compiled)
        self._guard(slices, rates, starts)
        code, kind = states.code, periods.kind[slices.period]
        for column, sums in ((0, self.net), (1, self.gross)):
            cost = slices.energy * rates.energy[column][code]
            cost += slices.time * rates.time[column][code]
            sums += np.add.reduceat(cost, starts)
        charged = kind != _RESERVATION
        self._step(slices.energy, rates.energy, code, starts, charged, None)
        self._step(slices.time, rates.time, code, starts, charged, kind)
        self._step(slices.time, rates.time, code, starts, ~charged, None)
        energy = np.add.reduceat(self.history.energy, self.history.first[:-1])
        paying = np.full(len(self.history), True) if self.policy.flat_without_energy else energy >= 1000
        self._flat(rates.flat, code, starts, charged, paying)
        self._flat(rates.flat, code, starts, ~charged, np.full(len(self.history), True))
        begun = np.maximum.reduceat(self.history.kind != _RESERVATION, self.history.first[:-1])
        self._limits(paying & begun)

    def _step(
        self, volume: Integers, rates: Integers, code: Integers, starts: Integers, wanted: Booleans, kind: Integers | None
    ) -> None:
        """Rounds the sum of what is priced up to the step of the last; with `kind`, only what is of the last one's kind counts."""
        counted = (rates[2][code] > 0) & (volume > 0) & wanted
        last = np.maximum.reduceat(np.where(counted, np.arange(len(code)), -1), starts)
        some = np.flatnonzero(last >= 0)
        if not len(some):
            return
        if kind is not None:
            last_kind = np.full(len(starts), -1)
            last_kind[some] = kind[last[some]]
            counted &= kind == np.repeat(last_kind, np.diff(np.append(starts, len(code))))
        total = np.add.reduceat(np.where(counted, volume, 0), starts)[some]
        at = code[last[some]]
        extra = -total % rates[2][at]
        self.net[some] += extra * rates[0][at]
        self.gross[some] += extra * rates[1][at]

    def _flat(self, rates: Integers, code: Integers, starts: Integers, wanted: Booleans, paying: Booleans) -> None:
        """The first flat fee that becomes active, once."""
        active = (rates[2][code] > 0) & wanted
        index = np.minimum.reduceat(np.where(active, np.arange(len(code)), len(code)), starts)
        some = np.flatnonzero((index < len(code)) & paying)
        self.net[some] += rates[0][code[index[some]]]
        self.gross[some] += rates[1][code[index[some]]]

    def _limits(self, owing: Booleans) -> None:
        tariff, scale = self.compiled.tariff, self.compiled.denominator
        for limit, clamp, rows in ((tariff.min_price, np.maximum, owing), (tariff.max_price, np.minimum, None)):
            if limit is None or limit.after_taxes is None:
                continue
            for amount, sums in ((limit.before_taxes, self.net), (limit.after_taxes, self.gross)):
                clamped = clamp(sums, _within(int(amount * scale)))
                sums[:] = clamped if rows is None else np.where(rows, clamped, sums)

    def _guard(self, slices: Slices, rates: _Rates, starts: Integers) -> None:
        """Refuses a batch of which one sum could pass 64 bits."""
        most_slices = int(np.diff(np.append(starts, len(slices.period))).max())
        worst = 0
        for volume, table in ((slices.energy, rates.energy), (slices.time, rates.time)):
            largest = int(np.abs(table[:2]).max())
            worst += largest * (int(volume.max()) * most_slices + int(table[2].max()))
        if worst + int(np.abs(rates.flat[:2]).max()) > _LARGEST:
            raise NotVectorisable(
                f"tariff {self.compiled.tariff.id}: one amount could pass 64 bits; the scalar engine has no such bound"
            )


class _States:
    """Codes of states: an index into each table of masks, all in one integer."""

    def __init__(self, rows: int) -> None:
        self.code = np.zeros(rows, np.int64)
        self.tables: list[Sequence[int]] = []
        self.size = _FLAVOURS

    def add(self, index: Integers, masks: Sequence[int]) -> None:
        """One more table; `index` says, for each slice, which of its masks holds."""
        self.tables.append(masks)
        self.size *= len(masks)
        if self.size > _MOST_STATES:
            raise NotVectorisable(f"the tariff has more than {_MOST_STATES} states")
        self.code *= len(masks)
        self.code += index

    def finish(self, flavour: Integers) -> None:
        """The kind of the period, whether graced, whether expired: kind * 4 + graced * 2 + expired."""
        self.code *= _FLAVOURS
        self.code += flavour

    def choice(self, code: int, compiled: Compiled) -> Choice:
        """What prices the state with that code."""
        rest, flavour = divmod(code, _FLAVOURS)
        mask = compiled.all
        for masks in reversed(self.tables):
            rest, index = divmod(rest, len(masks))
            mask &= masks[index]
        return compiled.choice(mask, KINDS[flavour >> 2], bool(flavour & 2), bool(flavour & 1))


class _Rates:
    """By code: units before and after taxes of one mWh, ms or fee, and the step (0: not priced)."""

    def __init__(self, states: _States, compiled: Compiled) -> None:
        self.energy, self.time, self.flat = (np.zeros((3, states.size), np.int64) for _ in range(3))
        for code in np.flatnonzero(np.bincount(states.code, minlength=states.size)):
            choice = states.choice(int(code), compiled)
            for table, component in ((self.energy, choice.energy), (self.time, choice.time), (self.flat, choice.flat)):
                if component is not None:
                    table[:, code] = _rate(component)


def _rate(component: Component) -> tuple[int, int, int]:
    net, gross = component.price * component.net, component.price * component.gross
    if max(abs(net), abs(gross), component.step) > _LARGEST:
        raise NotVectorisable("a price has too many digits for 64 bits")
    return net, gross, component.step


def _within(units: int) -> int:
    """The same, if 64 bits hold it."""
    if abs(units) > _LARGEST:
        raise NotVectorisable("a limit has too many digits for 64 bits")
    return units


def _band(bands: Bands, values: Integers) -> Integers:
    """Index into (*masks, unknown)."""
    found = np.searchsorted(np.array(bands.edges, np.int64), values, "right")
    return np.where(values == _UNKNOWN, len(bands.masks), found)


def _exact_sum(units: Integers) -> int:
    """A sum that cannot overflow: halves of 32 bits on their own."""
    return (int((units >> 32).sum()) << 32) + int((units & 0xFFFFFFFF).sum())
