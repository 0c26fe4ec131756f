"""Everything that is open, in memory, and who was told of it. Decided here: which groups are looked at, and what is forgotten.

The store has the same; a change is written there first. The stages judge; this only knows what to show them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from alerts.config import Config
from alerts.relay.rows import Held
from alerts.relay.twins import SOURCE, Twins, joined
from alerts.stages.alert import ALERTMANAGER, Alert
from alerts.stages.dedup import Told, Verdict, judge
from alerts.stages.group import Place, Placed, places
from alerts.stages.inhibit import Inhibitor
from alerts.stages.silence import Silence, next_turn, silenced_by
from chargenet.model.notice import Notice, Severity

MAX_ALERTS = 50_000
FORGOTTEN_AFTER = timedelta(days=7)
"""Information, and alerts of Alertmanager, that nobody has spoken of for so long."""


class Book:
    """One writer, on the event loop. `through_alertmanager`: see twins.py."""

    def __init__(self, config: Config, held: Held, now: datetime, *, through_alertmanager: bool = False) -> None:
        self._config = config
        self._twins = Twins(through_alertmanager)
        self.alerts: dict[str, Alert] = {}
        self.told: dict[Place, Told] = dict(held.groups)
        self.silences: dict[str, Silence] = {silence.silence_id: silence for silence in held.silences}
        self._inhibitor = Inhibitor(config.inhibitions)
        self._placed: dict[str, tuple[Placed, ...]] = {}
        self._members: dict[Place, dict[str, Placed]] = {}
        self._due: dict[Place, datetime] = {}
        self._all_due: datetime | None = None
        self._turn_at = next_turn(self.silences.values(), now)
        for alert in held.alerts:
            self.put(alert, now)
        for place, told in self.told.items():
            if told.told and place.receiver in config.receivers:
                self._due[place] = now

    def __len__(self) -> int:
        return len(self.alerts)

    # -- what changes

    def admits(self, alert: Alert) -> bool:
        """Is there anything to keep? The end of what nobody knows is nothing, unless it is news."""
        return alert.key in self.alerts or not alert.is_over or alert.is_news

    def merged(self, alert: Alert) -> Alert:
        """The alert with what is known of it from before."""
        before = self.alerts.get(alert.key)
        if before is None or before.is_over:
            return alert
        return Alert(
            notice=_taken_over(alert, before),
            origin=alert.origin,
            given_group=alert.given_group,
            taken_at=before.taken_at,
            heard_at=alert.heard_at,
        )

    def put(self, alert: Alert, now: datetime) -> None:
        """An alert came, changed or ended."""
        self._unplace(alert.key)
        self.alerts[alert.key] = alert
        self._twins.put(alert)
        for key in self._twins.theirs(alert):
            self._due |= dict.fromkeys(self.places_of(key), now)
        self._placed[alert.key] = placed = self._places(alert)
        for each in placed:
            self._members.setdefault(each.place, {})[alert.key] = each
            self._due[each.place] = now
        if not self._twins.is_kept(alert) and self._inhibitor.put(alert):
            self.look_at_all(now)

    def forget(self, key: str, now: datetime) -> None:
        """Nobody needs it any more."""
        self._unplace(key)
        alert = self.alerts.pop(key, None)
        if alert is not None:
            self._twins.remove(alert)
        if self._inhibitor.remove(key):
            self.look_at_all(now)

    def silence(self, silence: Silence, now: datetime) -> None:
        """A silence was added or ended."""
        self.silences[silence.silence_id] = silence
        self._turn_at = next_turn(self.silences.values(), now)
        self.look_at_all(now)

    def look_at_all(self, now: datetime) -> None:
        """What is muted may have changed everywhere."""
        self._all_due = now

    # -- what is due

    def next_due(self) -> datetime | None:
        """When something must be looked at, if nothing happens before."""
        instants = (*self._due.values(), self._turn_at, self._all_due)
        return min((at for at in instants if at is not None), default=None)

    def take_due(self, now: datetime) -> list[Place]:
        """The groups to be looked at now, those that waited longest first."""
        if self._turn_at is not None and self._turn_at <= now:
            self._turn_at = next_turn(self.silences.values(), now)
            self.silences = {key: silence for key, silence in self.silences.items() if silence.ends_at > now}
            self.look_at_all(now)
        if self._all_due is not None and self._all_due <= now:
            self._due |= dict.fromkeys(self._members, self._all_due)
            self._all_due = None
        due = sorted((at, place.receiver, place.group_key) for place, at in self._due.items() if at <= now)
        for _, receiver, group_key in due:
            del self._due[Place(receiver, group_key)]
        return [Place(receiver, group_key) for _, receiver, group_key in due]

    def later(self, place: Place, at: datetime | None) -> None:
        """Look at a group again then."""
        if at is not None:
            self._due[place] = min(at, self._due.get(place, at))

    # -- what is so

    def judge(self, place: Place, now: datetime) -> Verdict:
        """What a receiver should hear of a group now."""
        members = [self.whole(self.alerts[key]) for key in self._members.get(place, ())]
        placed = next(iter(self._members.get(place, {}).values()), None)
        timing = placed.timing if placed else self._config.route.timing
        muted = {alert.key: cause for alert in members if (cause := self.muted_by(alert, now))}
        return judge(members, muted, self.told.get(place), timing, self._config.receivers[place.receiver].wishes, now)

    def muted_by(self, alert: Alert, now: datetime) -> str | None:
        """`silence ID` or `alert KEY`; None: it may be told."""
        silence = silenced_by(self.silences.values(), alert.labels, now) if self.silences else None
        if silence is not None:
            return f"silence {silence.silence_id}"
        source = self._inhibitor.inhibited_by(alert)
        return f"alert {source}" if source is not None else None

    def whole(self, alert: Alert) -> Alert:
        """The alert with what the case that it is about has to say."""
        case = self.twin_of(alert)
        return alert if case is None else joined(alert, case)

    def twin_of(self, alert: Alert) -> Alert | None:
        """The case of ours that an alert of Alertmanager is about."""
        key = self._twins.ours(alert)
        return None if key is None else self.alerts.get(key)

    def is_kept(self, alert: Alert) -> bool:
        """A case that only lends its words to an alert of Alertmanager."""
        return self._twins.is_kept(alert)

    def needless(self, alert: Alert) -> bool:
        """It is over, and nobody is, or will be, told of it."""
        return alert.is_over and not self._places(alert) and not self._twins.theirs(alert)

    def _places(self, alert: Alert) -> tuple[Placed, ...]:
        return () if self._twins.is_kept(alert) else places(self._config.route, alert)

    def places_of(self, key: str) -> tuple[Place, ...]:
        """Where an alert is told."""
        return tuple(each.place for each in self._placed.get(key, ()))

    def keys_in(self, place: Place) -> list[str]:
        """The alerts of a group."""
        return list(self._members.get(place, ()))

    def told_here(self, receiver: str, is_group: Iterable[Place]) -> list[Alert]:
        """The open alerts that a receiver believes open in these groups."""
        keys = [key for place in is_group if place.receiver == receiver and place in self.told for key in self.told[place].told]
        return [self.alerts[key] for key in keys if key in self.alerts and not self.alerts[key].is_over]

    def finished(self, keys: Iterable[str], told: dict[Place, Told]) -> list[str]:
        """Of these, what is over and known to be so everywhere, once `told` is true; with the cases that lent them their words."""
        ended = [key for key in dict.fromkeys(keys) if key in self.alerts and self._is_finished(self.alerts[key], told)]
        cases = (self.twin_of(self.alerts[key]) for key in ended)
        return ended + [case.key for case in cases if case is not None and case.is_over]

    def stale(self, now: datetime) -> list[str]:
        """Open ones that nobody will end."""
        quiet = (alert for alert in self.alerts.values() if alert.heard_at < now - FORGOTTEN_AFTER)
        return [each.key for each in quiet if each.origin == ALERTMANAGER or each.notice.severity == Severity.INFO]

    def _is_finished(self, alert: Alert, told: dict[Place, Told]) -> bool:
        if not alert.is_over:
            return False
        for place in self.places_of(alert.key):
            known = told.get(place) or self.told.get(place)
            if alert.is_news and (known is None or alert.key not in known.news):
                return False
            if known is not None and alert.key in known.told:
                return False
        return True

    def _unplace(self, key: str) -> None:
        for each in self._placed.pop(key, ()):
            members = self._members.get(each.place, {})
            members.pop(key, None)
            if not members:
                self._members.pop(each.place, None)


def _taken_over(alert: Alert, before: Alert) -> Notice:
    """The notice; who has it in hand is kept from before, where nobody else keeps it and the same thing is said again."""
    notice, then = alert.notice, before.notice
    if notice.source == SOURCE or notice.acknowledged_at is not None or alert.mark != before.mark:
        return notice
    return msgspec.structs.replace(notice, acknowledged_at=then.acknowledged_at, acknowledged_by=then.acknowledged_by)
