"""Dedup: is there something to say that was not said? A pure function of what was told, what is, and now, to a *named reason*.

Decided here: when a group is told, told again, and left alone. Not whether it is delivered, or how.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from alerts.stages.alert import Alert, rank
from alerts.stages.route import Timing
from chargenet.model.notice import Severity


class Reason(StrEnum):
    """Why a group is told, or is not."""

    FIRST = "first"
    MORE = "more"
    CHANGED = "changed"
    WORSE = "worse"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"
    PARTLY_OVER = "partly_over"
    OVER = "over"
    TEST = "test"
    # and why not:
    WAITING = "waiting"
    UNCHANGED = "unchanged"
    MUTED = "muted"
    CAME_AND_WENT = "came_and_went"
    EMPTY = "empty"


class Status(StrEnum):
    """How a group stands after it was told."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    NEWS = "news"
    TEST = "test"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver was last told of a group. `told`: key → mark of every alert that it believes open."""

    change: int = 0
    told_at: datetime
    status: str
    severity: str
    told: dict[str, str]
    news: tuple[str, ...] = ()
    """News told once, kept until every receiver has heard it."""


class Wishes(msgspec.Struct, frozen=True):
    """What a receiver wants to hear besides what is wrong."""

    over: bool = True
    partly_over: bool = False
    acknowledged: bool = True


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`after`: what will have been told; None: nothing changes. `say` is None where it changes without a word."""

    reason: Reason
    say: Status | None = None
    shown: tuple[Alert, ...] = ()
    """What the message is about: open ones first, then those that ended."""
    after: Told | None = None
    again_at: datetime | None = None
    """When to look again, if nothing happens before."""


def judge(
    members: Sequence[Alert], muted: Mapping[str, str], before: Told | None, timing: Timing, wishes: Wishes, now: datetime
) -> Verdict:
    """`members`: all alerts of the group that are held. `muted`: keys of those not to be told, with the cause."""
    heard = before.news if before else ()
    news = [alert for alert in members if alert.is_news and alert.key not in muted and alert.key not in heard]
    is_open = [alert for alert in members if not alert.is_over and alert.key not in muted]
    if before is None or not before.told:
        return _begin(members, is_open, news, muted, before, timing, now)
    return _go_on(members, is_open, news, muted, before, timing, wishes, now)


def _begin(
    members: Sequence[Alert], is_open: list[Alert], news: list[Alert], muted: Mapping[str, str], before: Told | None,
    timing: Timing, now: datetime,
) -> Verdict:  # fmt: skip
    shown = (*is_open, *news)
    if not shown:
        if any(alert.key in muted for alert in members):
            return Verdict(reason=Reason.MUTED)
        return Verdict(reason=Reason.CAME_AND_WENT if members else Reason.EMPTY)
    ready_at = min(alert.taken_at for alert in shown) + timedelta(seconds=timing.group_wait_s)
    if now < ready_at:
        return Verdict(reason=Reason.WAITING, again_at=ready_at)
    return _say(Reason.FIRST, is_open, news, [], before, timing, now)


def _go_on(
    members: Sequence[Alert], is_open: list[Alert], news: list[Alert], muted: Mapping[str, str], before: Told,
    timing: Timing, wishes: Wishes, now: datetime,
) -> Verdict:  # fmt: skip
    present = {alert.key: alert for alert in members}
    over = [alert for alert in members if alert.key in before.told and alert.is_over]
    gone = [key for key in before.told if key not in present]
    believed = [key for key, alert in present.items() if key in before.told and not alert.is_over]
    if not is_open and not believed and not news:
        return _end(over, before, timing, wishes, now)
    reason = _reason(is_open, news, over or gone, before, wishes)
    if reason is None:
        return _repeat(members, is_open, muted, before, timing, now)
    ready_at = before.told_at + timedelta(seconds=timing.group_interval_s)
    if now < ready_at and reason not in (Reason.WORSE, Reason.ACKNOWLEDGED):
        return Verdict(reason=Reason.WAITING, again_at=ready_at)
    return _say(reason, is_open, news, over, before, timing, now, muted=muted)


def _reason(is_open: list[Alert], news: list[Alert], ended: Sequence[object], before: Told, wishes: Wishes) -> Reason | None:
    """What is new, the weightiest first."""
    fresh = [alert for alert in is_open if alert.key not in before.told]
    changed = [alert for alert in is_open if before.told.get(alert.key, alert.mark) != alert.mark]
    if any(rank(alert.notice.severity) > rank(before.severity) for alert in (*fresh, *changed, *news)):
        return Reason.WORSE
    if fresh or news:
        return Reason.MORE
    if changed:
        return Reason.CHANGED
    if _all_acknowledged(is_open) and before.status != Status.ACKNOWLEDGED and wishes.acknowledged:
        return Reason.ACKNOWLEDGED
    return Reason.PARTLY_OVER if ended and is_open and wishes.partly_over else None


def _end(over: list[Alert], before: Told, timing: Timing, wishes: Wishes, now: datetime) -> Verdict:
    """Nothing that the receiver was told of is open any more."""
    after = Told(change=before.change, told_at=now, status=Status.RESOLVED, severity=before.severity, told={}, news=before.news)
    if not wishes.over:
        return Verdict(reason=Reason.OVER, after=after)
    ready_at = before.told_at + timedelta(seconds=timing.group_interval_s)
    if now < ready_at:
        return Verdict(reason=Reason.WAITING, again_at=ready_at)
    after = msgspec.structs.replace(after, change=before.change + 1)
    return Verdict(reason=Reason.OVER, say=Status.RESOLVED, shown=tuple(over), after=after)


def _repeat(
    members: Sequence[Alert], is_open: list[Alert], muted: Mapping[str, str], before: Told, timing: Timing, now: datetime
) -> Verdict:
    """Nothing new: said again after a while, unless somebody has it in hand, or it wakes nobody."""
    if not is_open:
        return Verdict(reason=Reason.MUTED)
    urgent = any(alert.notice.severity != Severity.INFO for alert in is_open)
    if _all_acknowledged(is_open) or not urgent:
        return Verdict(reason=Reason.UNCHANGED)
    repeat_at = before.told_at + timedelta(seconds=timing.repeat_interval_s)
    # Alertmanager repeats by itself: between its calls nothing is known, so only a call can repeat.
    called = any(alert.given_group is None or alert.heard_at > before.told_at for alert in is_open)
    if now < repeat_at or not called:
        return Verdict(reason=Reason.UNCHANGED, again_at=repeat_at if now < repeat_at else None)
    return _say(Reason.REPEATED, is_open, [], [], before, timing, now, muted=muted, members=members)


def _say(
    reason: Reason, is_open: list[Alert], news: list[Alert], over: list[Alert], before: Told | None, timing: Timing,
    now: datetime, *, muted: Mapping[str, str] | None = None, members: Sequence[Alert] = (),
) -> Verdict:  # fmt: skip
    """A message, and what will have been told once it is in the outbox. What is muted now but was told stays told."""
    told = {alert.key: alert.mark for alert in is_open}
    ended = {alert.key for alert in (*over, *news)}
    kept = {key: mark for key, mark in (before.told if before else {}).items() if key in (muted or {}) and key not in ended}
    shown = (*sorted(is_open, key=_urgency), *news, *over)
    status = Status.NEWS if not is_open else Status.ACKNOWLEDGED if _all_acknowledged(is_open) else Status.FIRING
    severity = max((alert.notice.severity for alert in (is_open or news)), key=rank)
    after = Told(
        change=(before.change if before else 0) + 1, told_at=now, status=status, severity=severity, told=kept | told,
        news=(*(before.news if before else ()), *(alert.key for alert in news)),
    )  # fmt: skip
    again_at = now + timedelta(seconds=timing.repeat_interval_s) if is_open else None
    return Verdict(reason=reason, say=status, shown=shown, after=after, again_at=again_at)


def _urgency(alert: Alert) -> tuple[int, datetime]:
    return -rank(alert.notice.severity), alert.notice.began_at


def _all_acknowledged(is_open: Sequence[Alert]) -> bool:
    return bool(is_open) and all(alert.is_acknowledged for alert in is_open)
