"""A case of ours, and the alert that Alertmanager tells of the same case. Decided here: when two are the same, and who says what.

Prometheus knows a case by its labels alone. Where cases go through Alertmanager, it decides when somebody is told and when it is
over; the notice of the case itself is kept beside it and gives the words: evidence, drivers hit, sessions, what to do, and who has
it in hand.
"""

from __future__ import annotations

import msgspec

from alerts.stages.alert import ALERTMANAGER, NOTICE, Alert

SOURCE = "alerts"
"""The program whose notices are cases."""
_NAMES = ("case_kind", "site", "charge_point", "connector", "group")
Identity = tuple[str, ...]


def identity(alert: Alert) -> Identity | None:
    """Which case it is about: its kind and where; None for what is no case, or sums up several."""
    labels = alert.notice.labels
    is_case = labels.get("case_kind") and (alert.origin == ALERTMANAGER or alert.notice.source == SOURCE)
    if not is_case:
        return None
    found = {name: labels.get(name, "") for name in _NAMES}
    if found["group"].startswith("site:"):  # a site is named by its own label
        found["group"] = ""
    return tuple(found.values())


def joined(alert: Alert, case: Alert) -> Alert:
    """The alert of Alertmanager in the words of the case. What decides whether it is told again (mark, end) stays its own."""
    ours, theirs = case.notice, alert.notice
    known = {link.title.lower() for link in theirs.links}
    acknowledged_at, acknowledged_by = theirs.acknowledged_at, theirs.acknowledged_by
    if acknowledged_at is None:
        acknowledged_at, acknowledged_by = ours.acknowledged_at, ours.acknowledged_by
    notice = msgspec.structs.replace(
        theirs,
        title=ours.title,
        text=ours.text or theirs.text,
        details=ours.details,
        links=(*theirs.links, *(link for link in ours.links if link.title.lower() not in known)),
        attachments=ours.attachments,
        acknowledged_at=acknowledged_at,
        acknowledged_by=acknowledged_by,
    )
    return msgspec.structs.replace(alert, notice=notice)


class Twins:
    """Which key of each pair is ours, and which are theirs. `active` False: cases are told directly, and nothing is joined."""

    def __init__(self, active: bool) -> None:
        self.active = active
        self._ours: dict[Identity, str] = {}
        self._theirs: dict[Identity, set[str]] = {}

    def is_kept(self, alert: Alert) -> bool:
        """A case that only lends its words: Alertmanager decides whether it is told."""
        return self.active and alert.origin == NOTICE and alert.notice.source == SOURCE

    def put(self, alert: Alert) -> None:
        """An alert came."""
        who = identity(alert) if self.active else None
        if who is None:
            return
        if alert.origin == ALERTMANAGER:
            self._theirs.setdefault(who, set()).add(alert.key)
        elif not (alert.is_over and who in self._ours):  # the end of an old case does not hide a new one
            self._ours[who] = alert.key

    def remove(self, alert: Alert) -> None:
        """An alert is gone."""
        who = identity(alert) if self.active else None
        if who is None:
            return
        if self._ours.get(who) == alert.key:
            del self._ours[who]
        keys = self._theirs.get(who, set())
        keys.discard(alert.key)
        if not keys:
            self._theirs.pop(who, None)

    def ours(self, alert: Alert) -> str | None:
        """The key of the case that an alert of Alertmanager is about."""
        who = identity(alert) if self.active and alert.origin == ALERTMANAGER else None
        return self._ours.get(who) if who is not None else None

    def theirs(self, alert: Alert) -> set[str]:
        """The keys of the alerts of Alertmanager that are about a case of ours."""
        who = identity(alert) if self.is_kept(alert) else None
        return self._theirs.get(who, set()) if who is not None else set()
