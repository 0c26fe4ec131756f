"""Silences are made here. Decided here: what makes sense as one, and which one a link in a message asks for. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from alerts.matchers import BadMatcher, Matcher, parse_all
from alerts.stages.alert import Alert
from alerts.stages.silence import Silence
from chargenet.errors import Conflict

LONGEST = timedelta(days=366)
BY_LINK = timedelta(hours=4)
_ABOUT = ("site", "charge_point", "connector", "group", "kind", "rollout", "receiver", "instance", "job")
"""Labels that say what an alert is about."""


def new_silence(matchers: Sequence[str], starts_at: datetime, ends_at: datetime, comment: str, who: str, now: datetime) -> Silence:
    """Raises Conflict with a sentence."""
    try:
        parsed = parse_all(matchers)
    except BadMatcher as error:
        raise Conflict(str(error)) from None
    if all(matcher.matches({}) for matcher in parsed):
        raise Conflict("these matchers hold for alerts without any label: a silence must name what it is about")
    if ends_at <= max(starts_at, now):
        raise Conflict("a silence must end after it begins, and after now")
    if ends_at - max(starts_at, now) > LONGEST:
        raise Conflict(f"a silence lasts at most {LONGEST.days} days")
    silence_id = f"s{int(now.timestamp() * 1_000_000):014x}{secrets.token_hex(2)}"
    return Silence(
        silence_id=silence_id, matchers=tuple(map(str, parsed)), starts_at=starts_at, ends_at=ends_at, comment=comment,
        created_at=now, created_by=who,
    )  # fmt: skip


def silence_for(alerts: Sequence[Alert], now: datetime) -> tuple[tuple[str, ...], datetime, datetime]:
    """(matchers, start, end) that cover these alerts and as little else as their common labels allow."""
    first, *others = (alert.labels for alert in alerts)
    common = {name: first[name] for name in _ABOUT if first.get(name) and all(each.get(name) == first[name] for each in others)}
    if not common:
        common = {"source": first["source"]}
    return tuple(str(Matcher(name, "=", value)) for name, value in common.items()), now, now + BY_LINK
