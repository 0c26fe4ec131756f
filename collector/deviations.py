"""What a deviation is, and how a row of quirks.py recognises one. Decided here: nothing about any charge point."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Deviation(msgspec.Struct, frozen=True):
    """One rule that one place of a frame broke; `path` is a JSON path into the payload ("": the frame itself).

    `rule` is a word of whoever found it: a slip of JSON (ocpp/salvage.py), of the frame (ocpp/frames.py), of the schema
    (ocpp/repair.py), of an instant or a sampled value (handlers/).
    """

    rule: str
    path: str
    detail: str
    value: object = None
    action: str | None = None


class Quirk(msgspec.Struct, frozen=True):
    """A row: what it is called, when it applies, what it means for the data, and where it was seen."""

    name: str
    match: Callable[[Deviation], bool]
    meaning: str
    evidence: tuple[str, ...]


def rule(
    name: str, *, ends: str = "", action: str = "", value: Callable[[object], bool] | None = None
) -> Callable[[Deviation], bool]:
    """A predicate: this rule, at a path that ends so, in this action, with such a value."""

    def match(deviation: Deviation) -> bool:
        return (
            deviation.rule == name
            and deviation.path.endswith(ends)
            and (not action or deviation.action == action)
            and (value is None or value(deviation.value))
        )

    return match


def said(*words: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value.strip().casefold() in words


def phased(value: object) -> bool:
    return isinstance(value, str) and value.rpartition(".")[2] in PHASES


PHASES = frozenset({"L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"})
"""Phases as OCPP 1.6 and 2.x name them."""
