"""Which charge point stands where, what it is and how it is odd. Decided here: the same scenario and seed give the same network."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec

from simulator.scenario import Model, Scenario, Site

T = TypeVar("T")
Oddity = Literal["", "flapping", "silent", "drifting", "backlog"]
Conduct = Literal["", "lying", "reverting", "rejecting", "failing", "distrusting", "lost", "mute"]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One charge point to be."""

    charge_point_id: str
    site: Site
    model: Model
    serial_number: str
    oddity: Oddity = ""
    conduct: Conduct = ""
    """When it is told to update its firmware."""


def stream(seed: int, *names: object) -> random.Random:
    """A random stream of its own for each name, so that what one charge point does never depends on when others do."""
    return random.Random(f"{seed}/{'/'.join(map(str, names))}")  # noqa: S311 - a simulation wants repeatable numbers, not secret ones


def layout(scenario: Scenario, seed: int) -> list[Plan]:
    """All charge points, in the order in which they connect."""
    rng = stream(seed, "layout")
    count = scenario.charge_points
    sites = _spread(scenario.sites, [site.weight for site in scenario.sites], count)
    models = _spread(scenario.models, [model.weight for model in scenario.models], count)
    rng.shuffle(models)
    odd = _oddities(scenario, count)
    rng.shuffle(odd)
    conducts = _conducts(scenario, count)
    stream(seed, "updates").shuffle(conducts)
    width = max(4, len(str(count)))
    return [
        Plan(
            charge_point_id=f"{scenario.prefix}-{number + 1:0{width}d}",
            site=sites[number],
            model=models[number],
            serial_number=f"{models[number].vendor[:3].upper()}{rng.randrange(10**8):08d}",
            oddity=odd[number],
            conduct=conducts[number],
        )
        for number in range(count)
    ]


def _spread(items: Sequence[T], weights: Sequence[float], count: int) -> list[T]:
    """`count` items in proportion to their weights; each with a weight occurs as soon as there is room."""
    total = sum(weights)
    given = [0] * len(items)
    result = []
    for number in range(count):
        owed = [weight / total * (number + 1) - have for weight, have in zip(weights, given, strict=True)]
        index = max(range(len(items)), key=owed.__getitem__)
        given[index] += 1
        result.append(items[index])
    return result


def _oddities(scenario: Scenario, count: int) -> list[Oddity]:
    kinds: list[Oddity] = []
    for kind in ("flapping", "silent", "drifting", "backlog"):
        kinds += [kind] * getattr(scenario.oddities, kind)
    kinds = kinds[:count]
    return kinds + [""] * (count - len(kinds))


def _conducts(scenario: Scenario, count: int) -> list[Conduct]:
    kinds: list[Conduct] = []
    for kind in ("lying", "reverting", "rejecting", "failing", "distrusting", "lost", "mute"):
        kinds += [kind] * getattr(scenario.updates, kind)
    kinds = kinds[:count]
    return kinds + [""] * (count - len(kinds))
