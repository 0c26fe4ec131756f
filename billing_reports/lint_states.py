"""Doubts that need all states of a tariff at once. Decided here: which elements can never price anything, and what is free when.

A state is a moment of the calendar with a band of energy, duration, power and current. All combinations of what the tariff
distinguishes are tried; a tariff with more than `MOST` of them is not judged, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import reduce
from itertools import product
from math import prod
from operator import and_
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from billing_reports.cdr import PeriodKind
from billing_reports.compiled import Choice, Compiled, Component
from billing_reports.describe import describe
from billing_reports.doubt import Doubt, Level
from billing_reports.split import DAY_MINUTES, window_of
from billing_reports.tariff import Dimension, Tariff

MOST = 200_000
_WEEK = 7
_HELD = {
    PeriodKind.CHARGING: (Dimension.ENERGY, Dimension.TIME, Dimension.FLAT),
    PeriodKind.PARKING: (Dimension.PARKING_TIME,),
}


def state_doubts(tariff: Tariff, at: datetime) -> Iterator[Doubt]:
    """Unreachable price components, and dimensions that are priced in some states and free in others."""
    compiled = Compiled(_without_series(tariff), ZoneInfo("UTC"), {})
    masks, known = masks_of(compiled, at, unknown=True), masks_of(compiled, at, unknown=False)
    if masks is None or known is None:
        text = f"has more than {MOST} combinations of conditions: whether an element can never apply was not looked at"
        yield Doubt(Level.NOTE, "elements", "too_many_states", text)
        return
    reached: set[int] = set()
    for kind, expired in product(PeriodKind, (False, True)):
        for mask in masks:
            choice = compiled.choice(mask, kind, False, expired)
            reached |= {id(each) for each in (choice.energy, choice.time, choice.flat) if each is not None}
    for n, held in enumerate(compiled.components):
        lost = [each for each in held if id(each) not in reached]
        if lost:
            yield _unreachable(n, lost, len(held), compiled, masks)
    yield from _gaps(compiled, known)


def _without_series(tariff: Tariff) -> Tariff:
    """The same conditions with constant prices: which series there are is not known here."""
    elements = tuple(
        replace(element, price_components=tuple(replace(each, series=None) for each in element.price_components))
        for element in tariff.elements
    )
    return replace(tariff, elements=elements)


def masks_of(compiled: Compiled, at: datetime, *, unknown: bool) -> dict[int, str] | None:
    """Every mask of elements that can come up (also while power and current are unknown), each with a moment at which it does.

    None if there are too many combinations.
    """
    calendar = calendar_masks(compiled.tariff, at)
    tables = [
        compiled.energy,
        compiled.duration,
        *(triple[2] for triple in (compiled.power, compiled.current) if triple is not None),
    ]
    others = [{*each.masks, each.unknown} if unknown and index > 1 else set(each.masks) for index, each in enumerate(tables)]
    if len(calendar) * prod(len(each) for each in others) > MOST:
        return None
    found: dict[int, str] = {}
    for (mask, moment), rest in product(calendar.items(), list(product(*others))):
        found.setdefault(reduce(and_, rest, mask), moment)
    return found


def calendar_masks(tariff: Tariff, at: datetime) -> dict[int, str]:
    """Masks of calendar windows over a week from now and from every date that the tariff names, each with a moment in words."""
    windows = [window_of(each.restrictions) for each in tariff.elements]
    minutes = sorted({0, *(edge % DAY_MINUTES for each in windows for edge in (each.start, each.end))})
    named = {
        each for element in tariff.elements for each in (element.restrictions.start_date, element.restrictions.end_date) if each
    }
    first_days = {at.date(), *(date.fromisoformat(each) for each in named)}
    days = sorted({first + timedelta(days=each) for first in first_days for each in range(_WEEK)})
    found: dict[int, str] = {}
    for day, minute in product(days, minutes):
        moment = datetime(day.year, day.month, day.day, minute // 60, minute % 60)  # noqa: DTZ001 - a wall clock, on purpose without zone
        mask = sum(1 << index for index, each in enumerate(windows) if each.holds(moment))
        found.setdefault(mask, f"{moment:%A %H:%M}")
    return found


def _unreachable(index: int, lost: list[Component], held: int, compiled: Compiled, masks: Iterable[int]) -> Doubt:
    """Says why: conditions that never hold together, or earlier elements that hold whenever this one does, by their numbers."""
    restrictions = compiled.tariff.elements[index].restrictions
    names = ", ".join(each.dimension.value for each in lost)
    level = Level.ERROR if len(lost) == held else Level.WARNING
    holding = [mask for mask in masks if mask >> index & 1]
    before = {first for mask in holding for each in lost if (first := _first(compiled, mask, index, each)) is not None}
    if not holding:
        why = "its conditions never hold together; widen them or remove it"
    elif before:
        numbers = ", ".join(map(str, sorted(before)))
        earlier = f"element {numbers}" if len(before) == 1 else f"one of elements {numbers}"
        why = f"whenever it applies, {earlier} does too and comes first; put it before or remove it"
    else:
        why = "nothing that it applies to has that; remove it"
    return Doubt(level, f"elements[{index}]", "unreachable", f"{describe(index, restrictions)} never prices {names}: {why}")


def _first(compiled: Compiled, mask: int, index: int, lost: Component) -> int | None:
    """The first element before `index` that applies with it and prices the same."""
    elements = compiled.tariff.elements
    for n in range(index):
        same = elements[n].restrictions.reservation is elements[index].restrictions.reservation
        if same and mask >> n & 1 and any(each.dimension is lost.dimension for each in compiled.components[n]):
            return n
    return None


def _gaps(compiled: Compiled, masks: dict[int, str]) -> Iterator[Doubt]:
    for kind, dimensions in _HELD.items():
        for dimension in dimensions:
            priced = [_of(compiled.choice(mask, kind, False, False), dimension) is not None for mask in masks]
            if any(priced) and not all(priced):
                moment = next(moment for moment, found in zip(masks.values(), priced, strict=True) if not found)
                level = Level.WARNING if dimension is Dimension.ENERGY else Level.NOTE
                text = f"{dimension} is priced in some states and free in others, e.g. {moment}; if meant, give it a price of 0"
                yield Doubt(level, "elements", "free_at_times", text)


def _of(choice: Choice, dimension: Dimension) -> Component | None:
    if dimension is Dimension.ENERGY:
        return choice.energy
    return choice.flat if dimension is Dimension.FLAT else choice.time
