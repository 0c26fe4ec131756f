"""Charge points of which nothing is heard. Decided here: how long is too long, and what is said about one of them alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from alerts.detectors.rules.heard import Heard, deaf_s, heartbeat_s, offline_after_s, silent_since
from alerts.detectors.rules.settings import RuleSettings
from alerts.detectors.rules.view import View, clock, counted, lasting
from alerts.finding import Evidence, Finding
from alerts.signals.connector import OpenTransaction
from alerts.signals.point import PointSignals
from chargenet.model.notice import Severity


class Silence(msgspec.Struct, frozen=True, gc=False):
    """How a charge point stands. `down`: it counts towards an outage of many; `offline`: it is one by itself.

    `deaf_s` of the time since then nobody could be heard: it is not part of `silent_s`.
    """

    point: PointSignals
    since: datetime
    deaf_s: float
    silent_s: float
    after_s: float
    down: bool
    offline: bool


def silence(point: PointSignals, now: datetime, settings: RuleSettings, heard: Heard | None) -> Silence | None:
    """None for one that never connected: it is not there yet."""
    known = point.connected is not None or (heard is not None and point.charge_point_id in heard.last_frame_at)
    if not known:
        return None
    since = silent_since(point, now, heard)
    deaf, after_s = deaf_s(since, now, heard), offline_after_s(point, settings)
    silent_s = (now - since).total_seconds() - deaf
    down = silent_s >= settings.down_heartbeats * heartbeat_s(point, settings) or _closed(point, now, settings, heard)
    return Silence(point, since, deaf, silent_s, after_s, down, silent_s >= after_s)


def _closed(point: PointSignals, now: datetime, settings: RuleSettings, heard: Heard | None) -> bool:
    """Its connection has been closed for a while, and we could have taken a new one."""
    if point.connected is not False or point.connection_at is None:
        return False
    since = point.connection_at
    if heard is not None:
        since = max(since, heard.listening_since or since, heard.last_frame_at.get(point.charge_point_id, since))
    return (now - since).total_seconds() - deaf_s(since, now, heard) >= settings.down_closed_s


def _left_waiting(transactions: Sequence[OpenTransaction]) -> Evidence:
    return Evidence(
        what=f"{counted(len(transactions), 'transaction')} were open: drivers may be waiting, and bills are.",
        value=len(transactions),
        unit="transactions",
        sequences=tuple(sorted(each.started_sequence for each in transactions))[:20],
    )


def offline(silent: Silence, view: View, neighbours: tuple[int, int] | None) -> Finding:
    """`neighbours`: how many others at its site are online, of how many."""
    point = silent.point
    told = [
        Evidence(
            what=f"Last heard at {clock(silent.since, view.now)}; more than {lasting(silent.after_s)} is too long.",
            value=round(silent.silent_s),
            unit="s",
            expected=silent.after_s,
            sequences=(point.heard_sequence,) if silent.since == point.heard_at else (),
        )
    ]
    if silent.deaf_s:
        told.append(Evidence(what=f"The platform itself did not run for {lasting(silent.deaf_s)} of that, which does not count."))
    if point.connected is False and point.connection_at is not None:
        ends = f"Its connection ended at {clock(point.connection_at, view.now)}"
        last = point.closes[-1] if point.closes else None
        ends += f" ({last.what}, {last.detail})." if last is not None and last.sequence == point.connection_sequence else "."
        told.append(Evidence(what=ends, sequences=(point.connection_sequence,)))
    elif point.connected:
        told.append(Evidence(what="Its connection is still open: half-open after a power or network loss."))
    waiting = list(point.transactions.values())
    if waiting:
        told.append(_left_waiting(waiting))
    if neighbours is not None:
        online, others = neighbours
        told.append(Evidence(what=f"{online} of {others} others at its site are online.", value=online, expected=others))
    return view.found(
        "offline",
        None,
        began_at=silent.since,
        severity=Severity.CRITICAL if waiting else None,
        summary=f"nothing heard for {lasting(silent.silent_s)}",
        evidence=told,
    )
