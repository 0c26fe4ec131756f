"""Which open transaction does a stop without a usable id belong to? Decided here: what counts as a fit, and that two fits are none.

Used twice: at answer time (ledger) and when the transactions are projected, so that both judge alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

FIRST_BELIEVABLE_YEAR = 2010


def usable(at: datetime | None) -> datetime | None:
    """`at`, unless it comes from a clock that was never set: then two different sessions would look alike."""
    return at if at is not None and at.year >= FIRST_BELIEVABLE_YEAR else None


class Began(Protocol):
    """What is known of a transaction's start. `token` is an `IdToken.key`."""

    @property
    def token_key(self) -> str | None: ...
    @property
    def started_at(self) -> datetime | None: ...
    @property
    def start_register_wh(self) -> int | None: ...


Start = TypeVar("Start", bound=Began)


def fits(start: Began, token_key: str | None, stopped_at: datetime | None, register_wh: int | None) -> bool:
    """Can this stop belong to this start? What either side does not say speaks neither for nor against it."""
    if token_key is not None and start.token_key is not None and token_key != start.token_key:
        return False
    at, began_at = usable(stopped_at), usable(start.started_at)
    if at is not None and began_at is not None and at < began_at:
        return False
    return register_wh is None or start.start_register_wh is None or register_wh >= start.start_register_wh


def only_fit(starts: Iterable[Start], token_key: str | None, stopped_at: datetime | None, register_wh: int | None) -> Start | None:
    """The one start that fits; None when there is none or more than one."""
    found = [start for start in starts if fits(start, token_key, stopped_at, register_wh)]
    return found[0] if len(found) == 1 else None
