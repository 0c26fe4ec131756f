"""Inhibit: what need not be said because something larger was said. Decided here: which alert hushes which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from alerts.matchers import Labels, Matcher, all_match
from alerts.stages.alert import Alert

_Spot = tuple[int, tuple[str, ...]]
"""An inhibition by its number, and the values of its `equal` labels."""


class Inhibition(msgspec.Struct, frozen=True, kw_only=True):
    """While an alert matching `source` is open, those matching `target` with the same values of `equal` are not told."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


class Inhibitor:
    """The open sources of all inhibitions, found by the values of `equal`."""

    def __init__(self, rules: Sequence[Inhibition], alerts: Iterable[Alert] = ()) -> None:
        self._rules = tuple(rules)
        self._sources: dict[_Spot, dict[str, None]] = {}
        self._spots: dict[str, list[_Spot]] = {}
        for alert in alerts:
            self.put(alert)

    def put(self, alert: Alert) -> bool:
        """An alert came, changed or ended. True when it is, or was, the source of an inhibition."""
        touched = self.remove(alert.key)
        if alert.is_over:
            return touched
        labels = alert.labels
        for number, rule in enumerate(self._rules):
            if all_match(rule.source, labels):
                spot = (number, _values(rule, labels))
                self._sources.setdefault(spot, {})[alert.key] = None
                self._spots.setdefault(alert.key, []).append(spot)
                touched = True
        return touched

    def remove(self, key: str) -> bool:
        """An alert is gone. True when it was a source."""
        spots = self._spots.pop(key, [])
        for spot in spots:
            del self._sources[spot][key]
            if not self._sources[spot]:
                del self._sources[spot]
        return bool(spots)

    def inhibited_by(self, alert: Alert) -> str | None:
        """The key of an open alert that makes telling this one needless. An alert that is itself a source of the rule is told."""
        labels = alert.labels
        for number, rule in enumerate(self._rules):
            if all_match(rule.target, labels) and not all_match(rule.source, labels):
                sources = self._sources.get((number, _values(rule, labels)))
                if sources:
                    return next(iter(sources))
        return None


def _values(rule: Inhibition, labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(name, "") for name in rule.equal)
