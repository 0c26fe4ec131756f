"""Which segments may go. A pure judgement over facts about segments.

Decided here: age and size only ever remove whole sealed segments, oldest first, and never a record above the slowest cursor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec


class Sealed(msgspec.Struct, frozen=True):
    """A segment that is no longer written. `newest_us` None: not known, so its age is no reason to remove it."""

    size: int
    last: int
    newest_us: int | None


class Policy(msgspec.Struct, frozen=True):
    """None keeps without limit."""

    max_bytes: int | None = None
    max_age_us: int | None = None


def retired(sealed: Sequence[Sealed], active_bytes: int, policy: Policy, now_us: int, cursors: Iterable[int]) -> int:
    """How many of `sealed`, counted from the oldest, may be removed."""
    floor = min(cursors, default=None)
    total = active_bytes + sum(segment.size for segment in sealed)
    for count, segment in enumerate(sealed):
        too_much = policy.max_bytes is not None and total > policy.max_bytes
        too_old = policy.max_age_us is not None and segment.newest_us is not None and segment.newest_us < now_us - policy.max_age_us
        if not (too_much or too_old) or (floor is not None and segment.last > floor):
            return count
        total -= segment.size
    return len(sealed)
