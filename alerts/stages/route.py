"""Route: which receivers an alert goes to. Decided here: how the tree of routes is walked (as Alertmanager walks its own)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from alerts.matchers import Labels, Matcher, all_match


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: gather before a group's first message, between two messages of a group, until an unchanged one is repeated."""

    group_wait_s: float = 30.0
    group_interval_s: float = 300.0
    repeat_interval_s: float = 14_400.0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One node. Everything that it does not say, its parent says; the root matches everything."""

    matchers: tuple[Matcher, ...] = ()
    receivers: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ("site", "kind")
    timing: Timing = Timing()
    go_on: bool = False
    """Look at the next sibling as well when this one matched."""
    routes: tuple[Route, ...] = ()


class Leaf(msgspec.Struct, frozen=True):
    """A route that an alert ends in; `path` names it in group keys, and stays the same as long as its matchers do."""

    path: str
    route: Route


def leaves(root: Route, labels: Labels) -> tuple[Leaf, ...]:
    """Depth first: the deepest route that matches takes the alert; without one among its children, the parent does."""
    return tuple(_walk(root, labels, "{}"))


def _walk(route: Route, labels: Labels, path: str) -> Iterator[Leaf]:
    taken = False
    for child in route.routes:
        if all_match(child.matchers, labels):
            taken = True
            yield from _walk(child, labels, f"{path}/{{{','.join(map(str, child.matchers))}}}")
            if not child.go_on:
                return
    if not taken:
        yield Leaf(path, route)
