"""Group: which alerts are told of together. Decided here: the key of a group, which receivers see as long as it lives."""

from __future__ import annotations

import hashlib

import msgspec

from alerts.stages.alert import Alert
from alerts.stages.route import Leaf, Route, Timing, leaves

_READABLE = 200
_AT_ONCE = Timing(group_wait_s=0.0, group_interval_s=0.0)


class Place(msgspec.Struct, frozen=True):
    """One group at one receiver."""

    receiver: str
    group_key: str


class Placed(msgspec.Struct, frozen=True):
    """A place and the timing that holds in it."""

    place: Place
    timing: Timing


def places(root: Route, alert: Alert) -> tuple[Placed, ...]:
    """Everywhere that an alert is told, each receiver of each route once. What is about a receiver's own failure skips it."""
    labels = alert.labels
    found: dict[Place, Placed] = {}
    for leaf in leaves(root, labels):
        timing = leaf.route.timing if alert.given_group is None else _given(leaf.route.timing)
        key = group_key(leaf, alert)
        for receiver in leaf.route.receivers:
            place = Place(receiver, key)
            if receiver != labels.get("receiver") or alert.notice.source != "relay":
                found.setdefault(place, Placed(place, timing))
    return tuple(found.values())


def group_key(leaf: Leaf, alert: Alert) -> str:
    """Readable where it is short; the same alert and route give the same key in every run."""
    if alert.given_group is not None:
        return _short(f"{leaf.path}:alertmanager:{alert.given_group}")
    labels = alert.labels
    if leaf.route.group_by == ("...",):
        return _short(f"{leaf.path}:{alert.key}")
    values = ",".join(f"{name}={labels.get(name, '')}" for name in leaf.route.group_by)
    return _short(f"{leaf.path}:{{{values}}}")


def _given(timing: Timing) -> Timing:
    """Alertmanager has waited already."""
    return msgspec.structs.replace(_AT_ONCE, repeat_interval_s=timing.repeat_interval_s)


def _short(key: str) -> str:
    if len(key) <= _READABLE:
        return key
    return f"{key[:_READABLE]}…{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
