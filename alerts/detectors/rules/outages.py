"""Many charge points silent at once. Decided here: when that is one thing, and which: the network, a vendor, or a site.

Those who fell silent together are the largest set whose silences began within `outage_window_s` of each other. Who was silent
before says nothing about it. One finding then stands for all of them; the wider scope is asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from alerts.detectors.rules.offline import Silence
from alerts.detectors.rules.settings import RuleSettings
from alerts.detectors.rules.view import clock, lasting
from alerts.finding import Evidence, Finding
from alerts.kinds import KINDS
from alerts.signals.marks import SHOWN

NETWORK = "network"


class Scope(msgspec.Struct, frozen=True):
    """One way to look at many. `group`: a charge point's name in it, None where it has none."""

    kind: str
    group: Callable[[Silence, Mapping[str, str]], str | None]
    count: str
    share: str
    sites: str | None = None


def _site(silent: Silence, sites: Mapping[str, str]) -> str | None:
    site = sites.get(silent.point.charge_point_id)
    return None if site is None else f"site:{site}"


def _vendor(silent: Silence, _: Mapping[str, str]) -> str | None:
    return None if not silent.point.vendor else f"vendor:{silent.point.vendor}"


SCOPES: tuple[Scope, ...] = (
    Scope("network_offline", lambda *_: NETWORK, "network_outage_count", "network_outage_share", "network_outage_sites"),
    Scope("vendor_offline", _vendor, "vendor_outage_count", "vendor_outage_share", "vendor_outage_sites"),
    Scope("site_offline", _site, "site_outage_count", "site_outage_share"),
)
"""Widest first."""


def outages(
    silences: Sequence[Silence], sites: Mapping[str, str], now: datetime, settings: RuleSettings
) -> tuple[list[Finding], set[str]]:
    """Group findings, and the charge points that they explain."""
    findings: list[Finding] = []
    explained: set[str] = set()
    if not any(each.offline for each in silences):
        return findings, explained
    for scope in SCOPES:
        for group, members in _groups(scope, silences, sites, explained).items():
            gone, alive = together(members, settings.outage_window_s)
            if _is_outage(scope, gone, alive, sites, settings):
                findings.append(_finding(scope, group, gone, alive, sites, now))
                explained.update(each.point.charge_point_id for each in gone)
    return findings, explained


def _groups(scope: Scope, silences: Iterable[Silence], sites: Mapping[str, str], explained: set[str]) -> dict[str, list[Silence]]:
    groups: dict[str, list[Silence]] = {}
    for silent in silences:
        group = scope.group(silent, sites)
        if group is not None and silent.point.charge_point_id not in explained:
            groups.setdefault(group, []).append(silent)
    return groups


def together(members: Sequence[Silence], window_s: float) -> tuple[list[Silence], int]:
    """The most that fell silent within `window_s`, the latest such; and how many were there when the first of them did."""
    down = sorted((each for each in members if each.down), key=lambda each: each.since)
    best, first = (0, 0), 0
    for last, silent in enumerate(down):
        while (silent.since - down[first].since).total_seconds() > window_s:
            first += 1
        if last + 1 - first >= best[1] - best[0]:
            best = (first, last + 1)
    gone = down[best[0] : best[1]]
    if not gone:
        return [], 0
    begin = gone[0].since
    return gone, sum(each.since >= begin for each in members)


def _is_outage(scope: Scope, gone: list[Silence], alive: int, sites: Mapping[str, str], settings: RuleSettings) -> bool:
    """One of them is offline by itself already, they are many, and of many places where the scope asks for it."""
    count: int = getattr(settings, scope.count)
    share: float = getattr(settings, scope.share)
    if len(gone) < count or len(gone) < share * alive or not any(each.offline for each in gone):
        return False
    return scope.sites is None or len(_places(gone, sites)) >= getattr(settings, scope.sites)


def _places(gone: Iterable[Silence], sites: Mapping[str, str]) -> set[str]:
    """Their sites; one without a site is a place of its own."""
    return {sites.get(each.point.charge_point_id) or f" {each.point.charge_point_id}" for each in gone}


def _finding(scope: Scope, group: str, gone: list[Silence], alive: int, sites: Mapping[str, str], now: datetime) -> Finding:
    row, began_at = KINDS[scope.kind], gone[0].since
    ended = sorted(each.point.connection_sequence for each in gone if each.point.connected is False)
    names = sorted(each.point.charge_point_id for each in gone)
    listed = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    running = sum(len(each.point.transactions) for each in gone)
    told = [
        Evidence(
            what=f"{len(gone)} of {alive} charge points fell silent from {clock(began_at, now)} to {clock(gone[-1].since, now)}.",
            value=len(gone),
            unit="charge points",
            expected=alive,
            sequences=tuple(ended[-SHOWN:]),
        ),
        Evidence(what=f"They are: {listed}.", value=len(names)),
    ]
    if scope.sites is not None:
        places = len(_places(gone, sites))
        told.append(Evidence(what=f"They are at {places} sites.", value=places, unit="sites"))
    if running:
        told.append(Evidence(what=f"{running} transactions were open at them.", value=running, unit="transactions"))
    lasts = lasting((now - began_at) / timedelta(seconds=1))
    return Finding(
        kind=scope.kind,
        charge_point_id=None,
        group=group,
        severity=row.severity,
        score=len(gone) / alive,
        began_at=began_at,
        summary=f"{len(gone)} of {alive} charge points silent for {lasts}",
        evidence=tuple(told),
        action=row.action,
    )
