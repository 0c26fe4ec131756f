"""Things that happened at an instant, a few of the latest of each. Decided here: how much of the past is kept."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

Entry = TypeVar("Entry")

KEPT = 32
"""Marks of one sort per charge point or connector: more than any threshold needs, and a bound on memory."""
SHOWN = 20
"""Journal sequences that one piece of evidence names (Evidence.sequences)."""

ID_LENGTH = 64
"""Transaction and message ids are 36 characters at most by every version; longer ones are compared so far."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """One thing that happened, by our clock. `what` is in the words of its ring; `who` an ID token's hash, never the token."""

    at: datetime
    sequence: int
    what: str = ""
    who: str = ""
    detail: str = ""


class Step(msgspec.Struct, frozen=True, gc=False):
    """A register that did what a meter does not do."""

    at: datetime
    sequence: int
    before_wh: float
    after_wh: float
    before_sequence: int
    elapsed_s: float = 0.0
    """Between the two, by whichever clock gives more time."""
    peak_w: float | None = None
    """The highest power that the connector had reported until then."""


class ClockSample(msgspec.Struct, frozen=True, gc=False):
    """Device clock minus ours, at one report. Delay on the way only ever makes it smaller."""

    at: datetime
    sequence: int
    offset_s: float


def push(ring: list[Entry], entry: Entry, kept: int = KEPT) -> None:
    """Append, forgetting the oldest above `kept`."""
    ring.append(entry)
    if len(ring) > kept:
        del ring[0]


def since(ring: Iterable[Mark], now: datetime, seconds: float) -> list[Mark]:
    """The marks of the last `seconds`."""
    first = now - timedelta(seconds=seconds)
    return [mark for mark in ring if mark.at > first]


def sequences(marks: Iterable[Mark | Step | ClockSample]) -> tuple[int, ...]:
    """The latest journal sequences of these, oldest first, as many as evidence shows."""
    return tuple(sorted({mark.sequence for mark in marks}))[-SHOWN:]


def short(text: str | None, length: int = 200) -> str | None:
    """What a charge point said, cut to a bounded size."""
    return text if text is None or len(text) <= length else text[: length - 1] + "…"
