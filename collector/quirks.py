"""What charge points get wrong, as a table. Decided here: how a deviation is named and what public evidence there is for it.

Nothing here changes a value: salvage, repair, instants and measurements do that and describe what they met as a `Deviation`; the
first row that matches gives the FrameDeviated its name, and a deviation that no row knows is named `schema`.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chargenet.events import FrameDeviated


class Deviation(msgspec.Struct, frozen=True):
    """One rule that one place of a frame broke. `rule` is a word of RULES; `path` a JSON path into the payload ("" the frame)."""

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


QUIRKS: tuple[Quirk, ...] = ()


def flag(rule: str, path: str, detail: str, value: object = None, action: str | None = None) -> FrameDeviated:
    """The event for one deviation, named by the first row that knows it."""
    deviation = Deviation(rule, path, detail, value, action)
    name = next((row.name for row in QUIRKS if row.match(deviation)), "schema")
    return FrameDeviated(quirk=name, detail=f"{path}: {detail}" if path else detail, action=action)
