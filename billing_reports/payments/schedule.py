"""When things are tried again. Data and arithmetic; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

KEY_LIFE = timedelta(hours=20)
"""A request that is older is looked up before it is sent again: gateways forget keys after 24 hours."""
MANY_TRIES = 5
"""After so many sends without an answer, the gateway may keep an answer of its own failure under the key: look it up."""
_FIRST_S, _LAST_S = 5.0, 1800.0


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Settings that the machine needs."""

    retry_days: tuple[int, ...] = (3, 7, 14)
    """Days after the first decline on which a statement is charged again, with a reminder; then a person has it."""
    smallest: int = 50
    """Minor units; less is not worth what a gateway takes for it, and most refuse it."""
    confirm_within: timedelta = timedelta(minutes=30)
    """What a driver has from the opened hold to the confirmed one."""
    use_within: timedelta = timedelta(hours=1)
    """What a driver has from the hold to the start of the session."""
    hold_lasts: timedelta = timedelta(days=7)
    """The banks' limit; a day before it a person is told of a hold that still cannot be captured."""


def backoff(tries: int, retry_after_s: float | None = None) -> timedelta:
    """After so many sends without an answer (from 1): doubling from 5 s to half an hour, and never less than was asked for."""
    own = min(_LAST_S, _FIRST_S * 2 ** min(tries - 1, 16))
    return timedelta(seconds=min(86_400.0, max(own, retry_after_s or 0.0)))


def next_try(terms: Terms, declines: int, first_declined_at: datetime) -> datetime | None:
    """When a statement that was declined so often is charged again; None: the schedule is at its end."""
    if not 1 <= declines <= len(terms.retry_days):
        return None
    return first_declined_at + timedelta(days=terms.retry_days[declines - 1])
