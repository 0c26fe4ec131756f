"""Silence: what a person does not want to hear for a while. Decided here: when a silence is in force, and what it covers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import msgspec

from alerts.matchers import Labels, Matcher, all_match, parse_all


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """All `matchers` (texts, see alerts.matchers) must hold. In force from `starts_at` until before `ends_at`."""

    silence_id: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    comment: str
    created_at: datetime
    created_by: str
    ended_by: str | None = None
    """Who ended it before its time."""

    def in_force(self, now: datetime) -> bool:
        return self.starts_at <= now < self.ends_at

    def covers(self, labels: Labels) -> bool:
        """Do all its matchers hold?"""
        return all_match(_parsed(self.matchers), labels)


@lru_cache(maxsize=1024)
def _parsed(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    return parse_all(texts)


def silenced_by(silences: Iterable[Silence], labels: Labels, now: datetime) -> Silence | None:
    """The silence in force that covers these labels and lasts longest."""
    covering = [silence for silence in silences if silence.in_force(now) and silence.covers(labels)]
    return max(covering, key=lambda silence: silence.ends_at, default=None)


def next_turn(silences: Iterable[Silence], now: datetime) -> datetime | None:
    """The next instant at which a silence begins or ends; None when nothing is to come."""
    instants = (at for silence in silences for at in (silence.starts_at, silence.ends_at))
    return min((at for at in instants if at > now), default=None)
