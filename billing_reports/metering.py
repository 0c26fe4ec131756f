"""From a usage to billed volumes. Decided here: slices in which nothing changes, what is billed of each, the step size.

Rules of OCPI 2.3.0 (mod_tariffs, mod_cdrs), integers only: mWh, ms, and prices of `compiled.Compiled`. No amount is rounded here.
Every bill runs through `meter` and `count`. They are loops over local variables, and ask the clock once how long nothing changes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from billing_reports.cdr import ChargingPeriod, PeriodKind, Usage
from billing_reports.compiled import FLAVOURS, GRACED, STATES, Choice, Compiled, Component
from billing_reports.split import FOREVER, cut_points, from_ms, to_ms
from billing_reports.tariff import Dimension
from chargenet.errors import ChargewatchError

_CHARGING, _PARKING, _RESERVATION = PeriodKind.CHARGING, PeriodKind.PARKING, PeriodKind.RESERVATION
_ENERGY, _FLAT = Dimension.ENERGY, Dimension.FLAT


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
    """One dimension of one slice that something prices. `billed` has what the step size added."""

    slice: int
    dimension: Dimension
    component: Component
    price: int
    measured: int
    billed: int


class Metered(msgspec.Struct, gc=False):
    """What of a usage one tariff prices. `flags` are doubts; `began` is when charging or parking began, None if it never did."""

    slices: list[Slice]
    flags: set[str]
    began: int | None


_Piece = tuple[int, int, int, int, int, int]
"""(start, end, mWh of the period before it, its mWh, its ms, elements that the clock lets apply)."""


# One loop over local variables, because every bill runs through it; what is rare is in functions below.
def meter(compiled: Compiled, usage: Usage, grace: int = 0, only: frozenset[str | None] | None = None) -> Metered:
    """Cuts the periods of a usage (those whose tariff is in `only`, if given) into slices. `grace`: ms of parking that are free.

    A period of another tariff moves the clocks and the energy so far. Raises UsageError, PriceMissing.
    """
    slices: list[Slice] = []
    flags: set[str] = set()
    flavours, choices = FLAVOURS[usage.reservation_expired], compiled.choices
    bands, edges, electrical = compiled.energy, compiled.energy.edges, compiled.electrical
    last: Slice | None = None
    began = grace_end = ended_at = None
    mask, quiet_until, used, ended = 0, -FOREVER, 0, -FOREVER
    for source, period in enumerate(usage.periods):
        start_at, kind = period.start_at, period.kind
        start = ended if start_at == ended_at else to_ms(start_at)
        ended_at = period.end_at
        end = to_ms(ended_at)
        if end < start or start < ended:
            raise UsageError(f"periods[{source}]", _disorder(start, end, ended))
        ended = end
        energy = 1000 * period.energy_wh + period.fraction_mwh
        if began is None and kind is not _RESERVATION:
            began = quiet_until = start
        if grace:
            grace_end = _grace_end(grace_end, kind, start + grace)
            quiet_until = start
        if only is None or period.tariff_id in only:
            if start >= quiet_until:
                mask, quiet_until = _look(compiled, start, began, grace_end)
            base = _electrical(compiled, period, flags) if electrical else compiled.all
            time = end - start if period.time_ms is None else period.time_ms
            pieces: Iterable[_Piece] = ((start, end, 0, energy, time, mask),)
            if end > quiet_until or (edges and _crosses(edges, used, energy)):
                pieces = _pieces(compiled, start, end, energy, time, used, began, grace_end)
            for at, until, reached, part, spent, timely in pieces:
                # Where energy runs back it is below a threshold as soon as it leaves it.
                state = timely & base & bands.mask(used + reached - (part < 0)) if edges else timely & base
                state = state * STATES + flavours[kind] + (GRACED if grace_end is not None and at < grace_end else 0)
                choice = choices.get(state) or compiled.choose(state)
                energy_price, time_price = choice.prices_at(at) if choice.varies else (choice.energy_price, choice.time_price)
                if last is not None and last.choice is choice and _alike(last, at, kind, part, energy_price, time_price):
                    last.end = until
                    last.energy += part
                    last.time += spent
                else:
                    last = Slice(at, until, kind, source, part, spent, choice, energy_price, time_price)
                    slices.append(last)
        used += 0 if kind is _RESERVATION else energy
    return Metered(slices, flags, began)


def _alike(last: Slice, at: int, kind: PeriodKind, energy: int, energy_price: int, time_price: int) -> bool:
    """Whether what begins at `at`, and is priced by the same choice, goes on with the last slice."""
    return (
        last.end == at
        and last.kind is kind
        and (last.energy < 0) == (energy < 0)
        and (not last.choice.varies or (last.energy_price == energy_price and last.time_price == time_price))
    )


def _grace_end(before: int | None, kind: PeriodKind, end: int) -> int | None:
    """While parked: until when it costs no time, from the begin of the stretch of parking on."""
    if kind is not _PARKING:
        return None
    return end if before is None else before


def _look(compiled: Compiled, at: int, began: int | None, grace_end: int | None) -> tuple[int, int]:
    """Elements that calendar and duration let apply at an instant, and until when these, series and grace stay as they are."""
    mask, until = compiled.calendar.segment(at)
    edges = compiled.duration.edges
    if edges:
        passed = bisect_right(edges, 0 if began is None else at - began)
        mask &= compiled.duration.masks[passed]
        if began is not None and passed < len(edges) and began + edges[passed] < until:
            until = began + edges[passed]
    for table in compiled.series:
        until = min(until, table.next_change(at))
    if grace_end is not None and at < grace_end:
        until = min(until, grace_end)
    return mask, until


def _crosses(edges: Sequence[int], used: int, energy: int) -> bool:
    """Whether the running energy may pass one of `edges` within a period; energy that runs back may."""
    following = bisect_right(edges, used)
    return energy < 0 or (following < len(edges) and edges[following] < used + energy)


# All that is known of a period, once.
def _pieces(
    compiled: Compiled, start: int, end: int, energy: int, time: int, used: int, began: int | None, grace_end: int | None
) -> list[_Piece]:
    """The parts of a period within which something changes: at instants, or where the energy passes a threshold."""
    times, masks, at = [start], list[int](), start
    while times[-1] <= end:
        mask, until = _look(compiled, times[-1], began, grace_end)
        masks.append(mask)
        times.append(until)
    pieces, duration = list[_Piece](), end - start
    reached = passed = 0
    for cut, level in cut_points(times[1:], compiled.energy.edges, start, end, energy, used):
        if cut == at and level == reached:
            continue
        until = cut - start if time == duration else time * (cut - start) // max(duration, 1)
        pieces.append((at, cut, reached, level - reached, until - passed, masks[bisect_right(times, at) - 1]))
        at, reached, passed = cut, level, until
    pieces.append((at, end, reached, energy - reached, time - passed, masks[bisect_right(times, at) - 1]))
    return pieces


def _electrical(compiled: Compiled, period: ChargingPeriod, flags: set[str]) -> int:
    """Elements whose power and current restrictions hold. Who does not charge draws 0; unknown while charging is flagged."""
    mask, idle = compiled.all, 0 if period.kind is not _CHARGING else None
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
            flags.add(f"{name}_unknown")
        elif both.mask(low) != both.mask(high):
            flags.add(f"{name}_range")
    return mask


def _disorder(start: int, end: int, ended: int) -> str:
    if end < start:
        return f"ends at {from_ms(end).isoformat()}, before it begins at {from_ms(start).isoformat()}"
    return f"begins at {from_ms(start).isoformat()}, before the one before it ends at {from_ms(ended).isoformat()}"


class Counted(msgspec.Struct, gc=False):
    """What is billed. `net` and `gross` are the exact sums before and after taxes, in units of the tariff."""

    items: list[Item]
    net: int
    gross: int
    flat_charged: bool
    """Whether the flat fee of charging or parking is among the items."""


# As long as there are dimensions, and over local variables, because every bill runs through it.
def count(slices: Sequence[Slice], *, flat: bool = True) -> Counted:
    """One item per dimension that was used and is not free, a flat fee once, and the step size once.

    `flat` False: the transaction has paid its flat fee already, or pays none.
    """
    items: list[Item] = []
    reserved_flat, flat_charged = True, False
    last_energy: Item | None = None
    last_timed: Item | None = None
    last_reserved: Item | None = None
    energies, times = 0, {_CHARGING: 0, _PARKING: 0, _RESERVATION: 0}
    for index, each in enumerate(slices):
        choice, kind, energy, time = each.choice, each.kind, each.energy, each.time
        fee = choice.flat
        if fee is not None and (reserved_flat if kind is _RESERVATION else flat):
            items.append(Item(index, _FLAT, fee, fee.price, 1, 1))
            if kind is _RESERVATION:
                reserved_flat = False
            else:
                flat, flat_charged = False, True
        component = choice.energy
        if energy and component is not None:
            item = Item(index, _ENERGY, component, each.energy_price, energy, energy)
            items.append(item)
            if energy > 0:
                energies += energy
                last_energy = item
        component = choice.time
        if time and component is not None:
            item = Item(index, component.dimension, component, each.time_price, time, time)
            items.append(item)
            times[kind] += time
            if kind is _RESERVATION:
                last_reserved = item
            else:
                last_timed = item
    # Once per tariff and transaction; what was delivered back is never rounded. Charging and parking together: only the dimension
    # that was billed last is rounded, by its own total.
    _round_up(last_energy, energies)
    if last_timed is not None:
        _round_up(last_timed, times[slices[last_timed.slice].kind])
    _round_up(last_reserved, times[_RESERVATION])
    return Counted(items, *_sums(items), flat_charged)


def _round_up(last: Item | None, whole: int) -> None:
    """The last item of a dimension gets what brings `whole`, all of it that is billed, to full steps."""
    if last is not None:
        last.billed += -whole % last.component.step


def _sums(items: Sequence[Item]) -> tuple[int, int]:
    net = gross = 0
    for item in items:
        component, amount = item.component, item.billed * item.price
        net += amount * component.net
        gross += amount * component.gross
    return net, gross
