"""Many usages priced at once with numpy: "what would tariff B have earned". Decided here: nothing that `price` does not decide.

The same rules as `metering` and `breakdown` on columns, in the same integer units, so results are equal and not close; a property
test holds them so. The scalar engine stays the truth of statements. Refused here: price series, periods of several tariffs, energy
that runs back, tariffs of more than 62 elements, limits that lack their figure after taxes, and sums beyond 64 bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import prod

import msgspec
import numpy as np
from numpy.typing import NDArray

from billing_reports.cdr import ChargingPeriod, Price, Usage
from billing_reports.compiled import GRACED, KINDS, STATES, Bands, Choice, Compiled, Component
from billing_reports.money import PICO, from_pico, round_half_up
from billing_reports.policy import DEFAULT, PricingPolicy
from billing_reports.price import zone_of
from billing_reports.split import to_ms
from billing_reports.tariff import Tariff
from billing_reports.tariff_book import series_named
from billing_reports.vector_slices import Integers, Periods, Slices, calendar_columns, cut
from chargenet.errors import ChargewatchError

Booleans = NDArray[np.bool_]
_CHARGING, _PARKING, _RESERVATION = range(3)
_UNKNOWN = -1
_LARGEST = 2**62
_NEVER = 2**61
_MOST_STATES = 2**21
AT_ONCE = 16_384
"""Usages in one batch: their columns stay in the cache."""
_MOST_ELEMENTS = 62


class NotVectorisable(ChargewatchError):
    """A tariff, policy or usage that only the scalar engine can price; the text says why, in words that many usages share."""


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

    def part(self, begin: int, end: int) -> History:
        """The usages from `begin` to `end`; nothing is copied but `first`."""
        low, high = int(self.first[begin]), int(self.first[end])
        columns = (getattr(self, name)[low:high] for name in self.__struct_fields__[3:])
        return History(self.time_zone, self.first[begin : end + 1] - low, self.expired[begin:end], *columns)


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

    def pico(self) -> list[tuple[int, int]]:
        """(before, after taxes) of each usage in 10^-12 of the currency: `price` as integers."""
        columns = ([self._pico(units) for units in each.tolist()] for each in (self.before_taxes, self.after_taxes))
        return list(zip(*columns, strict=True))

    def _amount(self, units: int) -> Decimal:
        return from_pico(self._pico(units))

    def _pico(self, units: int) -> int:
        return round_half_up(units * PICO, self.denominator)


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
        raise NotVectorisable("a period that delivered energy back")
    if each.tariff_id is not None:
        raise NotVectorisable("a period that names a tariff of its own")
    start, end = to_ms(each.start_at), to_ms(each.end_at)
    time = end - start if each.time_ms is None else each.time_ms
    electrical = (each.min_power_w, each.max_power_w, each.min_current_ma, each.max_current_ma)
    energy = 1000 * each.energy_wh + each.fraction_mwh
    return KINDS.index(each.kind), start, end, energy, time, *(_UNKNOWN if value is None else value for value in electrical)


def price_history(history: History, tariff: Tariff, policy: PricingPolicy = DEFAULT, *, at_once: int = AT_ONCE) -> Earned:
    """What every usage would have cost under `tariff`, `at_once` of them in a batch. Raises NotVectorisable, TariffError."""
    if series_named(tariff):
        raise NotVectorisable(f"tariff {tariff.id} follows a price series")
    compiled = Compiled(tariff, zone_of(history.time_zone), {})
    _refuse(compiled, policy)
    net, gross = np.zeros(len(history), np.int64), np.zeros(len(history), np.int64)
    if len(history) and not policy.free_vend:
        plan = _Plan(compiled, int(history.start.min()), int(history.end.max()))
        for begin in range(0, len(history), at_once):
            end = min(begin + at_once, len(history))
            _Batch(plan, history.part(begin, end), policy, net[begin:end], gross[begin:end]).count()
    return Earned(tariff.currency, compiled.denominator, net, gross)


def _refuse(compiled: Compiled, policy: PricingPolicy) -> None:
    tariff = compiled.tariff
    if len(tariff.elements) > _MOST_ELEMENTS:
        raise NotVectorisable(f"tariff {tariff.id} has {len(tariff.elements)} elements; {_MOST_ELEMENTS} is the most here")
    if any(each is not None and each.after_taxes is None for each in (tariff.min_price, tariff.max_price)):
        raise NotVectorisable(f"tariff {tariff.id} has a limit without its figure after taxes")
    if policy.idle_cap is not None:
        raise NotVectorisable("a cap on parking is spread over taxes by the scalar engine alone")


class _Batch:
    """Usages as many as fit a processor's cache. What prices a slice is looked up by a code of its state, and summed per usage."""

    def __init__(self, plan: _Plan, history: History, policy: PricingPolicy, net: Integers, gross: Integers) -> None:
        self.plan, self.compiled, self.history, self.policy, self.net, self.gross = plan, plan.compiled, history, policy, net, gross
        self.grace = 1000 * policy.idle_grace_s
        self.usage = np.repeat(np.arange(len(history)), np.diff(history.first))
        self.reserved = bool((history.kind == _RESERVATION).any())

    def count(self) -> None:
        """Slices, then dimension by dimension, then limits."""
        compiled, history = self.compiled, self.history
        periods = self._periods()
        slices = cut(periods, self.plan.instants, compiled.energy.edges, compiled.duration.edges, self.grace)
        code = self._codes(periods, slices)
        rates = self.plan.rates(code)
        usage, kind = self.usage[slices.period], periods.kind[slices.period]
        last = np.append(slices.first[history.first[1:-1]], len(code)) - 1
        self._guard(slices, rates, last)
        for column, sums in ((0, self.net), (1, self.gross)):
            cost = slices.energy * rates.energy[column][code]
            cost += slices.time * rates.time[column][code]
            sums += _segments(cost, last)
        charged = kind != _RESERVATION if self.reserved else None
        energy, time = _Dimension(slices.energy, rates.energy), _Dimension(slices.time, rates.time)
        self._step(energy, code, usage, charged, None)
        self._step(time, code, usage, charged, kind)
        paying = self._paying()
        self._flat(rates.flat, code, usage, charged, paying)
        if charged is not None:
            self._step(time, code, usage, ~charged, None)
            self._flat(rates.flat, code, usage, ~charged, None)
        self._limits(paying)

    def _periods(self) -> Periods:
        """The columns, with what the tariff and the policy ask for."""
        history, compiled = self.history, self.compiled
        return Periods(
            history.kind, history.start, history.end, history.energy, history.time,
            self._used() if compiled.energy.edges else None,
            self._began() if compiled.duration.edges else None,
            self._idle_since() if self.grace else None,
        )  # fmt: skip

    def _used(self) -> Integers:
        own = np.where(self.history.kind != _RESERVATION, self.history.energy, 0)
        running = np.cumsum(own) - own
        found: Integers = running - running[self.history.first[:-1]][self.usage]
        return found

    def _began(self) -> Integers:
        history, first = self.history, self.history.first[:-1]
        if not self.reserved:
            return history.start[first][self.usage]
        rows = np.arange(len(history.start))
        opening = np.minimum.reduceat(np.where(history.kind != _RESERVATION, rows, len(rows)), first)[self.usage]
        return np.where(rows >= opening, np.append(history.start, _NEVER)[opening], _NEVER)

    def _idle_since(self) -> Integers:
        parked = self.history.kind == _PARKING
        fresh = parked & ~np.append(False, parked[:-1] & (self.usage[1:] == self.usage[:-1]))
        return self.history.start[np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))]

    def _codes(self, periods: Periods, slices: Slices) -> Integers:
        """A code for each slice: which of each table's masks holds, which kind it is, whether graced, whether expired."""
        row, compiled = slices.period, self.compiled
        code = self.plan.calendar[slices.clock - 1]
        if periods.used is not None:
            code = code * len(compiled.energy.masks) + _band(compiled.energy, periods.used[row] + slices.reached)
        if periods.began is not None:
            elapsed = np.maximum(slices.start - periods.began[row], 0)
            code = code * len(compiled.duration.masks) + _band(compiled.duration, elapsed)
        for bands, values in self._electrical():
            code = code * (len(bands.masks) + 1) + _band(bands, values)[row]
        flavour = periods.kind * 4
        if self.reserved:
            flavour += (periods.kind == _RESERVATION) & self.history.expired[self.usage]
        code = code * STATES + flavour[row]
        if periods.idle_since is not None:
            graced = (periods.kind[row] == _PARKING) & (slices.start < periods.idle_since[row] + self.grace)
            code += GRACED * graced
        return code

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

    def _paying(self) -> Booleans | None:
        """Usages that owe a flat fee and a minimum; None: all."""
        if self.policy.flat_without_energy:
            return None
        paying: Booleans = np.add.reduceat(self.history.energy, self.history.first[:-1]) >= 1000
        return paying

    def _step(self, dimension: _Dimension, code: Integers, usage: Integers, wanted: Booleans | None, kind: Integers | None) -> None:
        """Rounds the sum of what is priced up to the step of the last; with `kind`, only what is of the last one's kind counts."""
        volume, rates = dimension.volume, dimension.rates
        counted = (rates[2][code] > 0) & (volume > 0)
        rows = np.flatnonzero(counted if wanted is None else counted & wanted)
        if not len(rows):
            return
        owner, billed = usage[rows], volume[rows]
        last = np.flatnonzero(np.append(owner[1:] != owner[:-1], True))
        if kind is not None:
            ours = kind[rows] == np.repeat(kind[rows[last]], np.diff(last, prepend=-1))
            billed = np.where(ours, billed, 0)
        some, at = owner[last], code[rows[last]]
        extra = -_segments(billed, last) % rates[2][at]
        self.net[some] += extra * rates[0][at]
        self.gross[some] += extra * rates[1][at]

    def _flat(self, rates: Integers, code: Integers, usage: Integers, wanted: Booleans | None, paying: Booleans | None) -> None:
        """The first flat fee that becomes active, once."""
        active = rates[2][code] > 0
        rows = np.flatnonzero(active if wanted is None else active & wanted)
        owner = usage[rows]
        rows = rows[np.append(True, owner[1:] != owner[:-1])] if len(rows) else rows
        if paying is not None:
            rows = rows[paying[usage[rows]]]
        self.net[usage[rows]] += rates[0][code[rows]]
        self.gross[usage[rows]] += rates[1][code[rows]]

    def _limits(self, paying: Booleans | None) -> None:
        owing = paying
        if self.reserved:
            begun = np.maximum.reduceat(self.history.kind != _RESERVATION, self.history.first[:-1])
            owing = begun if paying is None else paying & begun
        tariff, scale = self.compiled.tariff, self.compiled.denominator
        for limit, clamp, rows in ((tariff.min_price, np.maximum, owing), (tariff.max_price, np.minimum, None)):
            if limit is None or limit.after_taxes is None:
                continue
            for amount, sums in ((limit.before_taxes, self.net), (limit.after_taxes, self.gross)):
                clamped = clamp(sums, _within(int(amount * scale)))
                sums[:] = clamped if rows is None else np.where(rows, clamped, sums)

    def _guard(self, slices: Slices, rates: _Rates, last: Integers) -> None:
        """Refuses a batch of which one sum could pass 64 bits."""
        most_slices = int(np.diff(last, prepend=-1).max())
        worst = 0
        for volume, table in ((slices.energy, rates.energy), (slices.time, rates.time)):
            largest = int(np.abs(table[:2]).max())
            worst += largest * (int(volume.max()) * most_slices + int(table[2].max()))
        if worst + int(np.abs(rates.flat[:2]).max()) > _LARGEST:
            raise NotVectorisable(
                f"tariff {self.compiled.tariff.id}: one amount could pass 64 bits; the scalar engine has no such bound"
            )


class _Plan:
    """What does not change from batch to batch: the calendar of the whole span, and what prices each state."""

    def __init__(self, compiled: Compiled, first: int, last: int) -> None:
        self.compiled = compiled
        self.instants, masks = calendar_columns(compiled.calendar, first, last)
        timely, self.calendar = np.unique(masks, return_inverse=True)
        self._tables: list[Sequence[int]] = [[int(each) for each in timely]]
        self._tables += [each.masks for each in (compiled.energy, compiled.duration) if each.edges]
        for triple in (compiled.power, compiled.current):
            self._tables += [(*bands.masks, bands.unknown) for bands in (triple or ())[:2]]
        size = prod(len(each) for each in self._tables) * STATES
        if size > _MOST_STATES:
            raise NotVectorisable(f"the tariff has more than {_MOST_STATES} states")
        self._known = np.zeros(size, np.bool_)
        self._rates = _Rates(size)

    def rates(self, code: Integers) -> _Rates:
        """Rates of all states among `code`."""
        seen = np.bincount(code, minlength=len(self._known)) > 0
        for each in np.flatnonzero(seen & ~self._known):
            self._rates.set(int(each), self._choice(int(each)))
        self._known |= seen
        return self._rates

    def _choice(self, code: int) -> Choice:
        """What prices the state with that code."""
        rest, flavour = divmod(code, STATES)
        mask = self.compiled.all
        for masks in reversed(self._tables):
            rest, index = divmod(rest, len(masks))
            mask &= masks[index]
        return self.compiled.choose(mask * STATES + flavour)


class _Rates:
    """By code: units before and after taxes of one mWh, ms or fee, and the step (0: not priced)."""

    def __init__(self, size: int) -> None:
        self.energy, self.time, self.flat = (np.zeros((3, size), np.int64) for _ in range(3))

    def set(self, code: int, choice: Choice) -> None:
        """Notes what one state costs."""
        for table, component in ((self.energy, choice.energy), (self.time, choice.time), (self.flat, choice.flat)):
            if component is not None:
                table[:, code] = _rate(component)


class _Dimension(msgspec.Struct, frozen=True):
    """Volume per slice, and rates per code."""

    volume: Integers
    rates: Integers


def _segments(values: Integers, last: Integers) -> Integers:
    """Sums of neighbours that end at `last`. A running sum may pass 64 bits and wrap; the differences are right all the same."""
    return np.diff(np.cumsum(values)[last], prepend=0)


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
