"""All rules over one charge point, or over the network. Decided here: what a whole pass adds: outages, and peers.

A whole pass over a large network takes a second: `Survey` lets its caller look at some charge points at a time, so that an event
loop is never held. Nothing is kept from one pass to the next but what the caller keeps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from alerts.detectors.rules.heard import Heard, alive_until
from alerts.detectors.rules.offline import Silence, offline, silence
from alerts.detectors.rules.outages import outages
from alerts.detectors.rules.peers import Peers, with_peers
from alerts.detectors.rules.settings import RuleSettings
from alerts.detectors.rules.table import look
from alerts.detectors.rules.view import View
from alerts.finding import Finding
from alerts.signals.network import NetworkSignals
from alerts.signals.point import PointSignals


class Survey:
    """One pass: `look` at every charge point once, then `finish`. `peers` is complete after that, and serves `judge_point`."""

    def __init__(self, now: datetime, settings: RuleSettings, sites: Mapping[str, str], heard: Heard | None = None) -> None:
        self._now, self._settings, self._sites, self._heard = now, settings, sites, heard
        self._found: list[tuple[PointSignals, list[Finding]]] = []
        self._silences: list[Silence] = []
        self.peers = Peers()

    def look(self, points: Iterable[PointSignals]) -> None:
        """Judges some charge points."""
        for point in points:
            site_id = self._sites.get(point.charge_point_id)
            self.peers.count(point, site_id)
            silent = silence(point, self._now, self._settings, self._heard)
            if silent is not None:
                self._silences.append(silent)
            found = look(self._view(point))
            if found:
                self._found.append((point, found))

    def finish(self) -> list[Finding]:
        """All findings: of the groups first, then of the charge points, with their peers."""
        groups, explained = outages(self._silences, self._sites, self._now, self._settings)
        alone = [each for each in self._silences if each.offline and each.point.charge_point_id not in explained]
        here = self._online_by_site() if alone else {}
        found = [*self._found, *((each.point, [self._offline(each, here)]) for each in alone)]
        for point, findings in found:
            self.peers.found(point, self._sites.get(point.charge_point_id), [finding.kind for finding in findings])
        for point, findings in found:
            site_id = self._sites.get(point.charge_point_id)
            groups.extend(with_peers(finding, point, site_id, self.peers, True) for finding in findings)
        return groups

    def _view(self, point: PointSignals) -> View:
        return View(point, self._now, alive_until(point, self._now, self._settings, self._heard), self._settings)

    def _online_by_site(self) -> dict[str, tuple[int, int]]:
        """Site → (online, all)."""
        counts: dict[str, tuple[int, int]] = {}
        for each in self._silences:
            site_id = self._sites.get(each.point.charge_point_id)
            if site_id is not None:
                online, known = counts.get(site_id, (0, 0))
                counts[site_id] = (online + (not each.offline), known + 1)
        return counts

    def _offline(self, silent: Silence, here: Mapping[str, tuple[int, int]]) -> Finding:
        site_id = self._sites.get(silent.point.charge_point_id)
        online, known = here.get(site_id, (0, 0)) if site_id is not None else (0, 0)
        return offline(silent, self._view(silent.point), (online, known - 1) if known > 1 else None)


def judge(
    signals: NetworkSignals, now: datetime, settings: RuleSettings, sites: Mapping[str, str], heard: Heard | None = None
) -> list[Finding]:
    """All findings that are true now. `sites`: charge point → site id, for those that have one."""
    survey = Survey(now, settings, sites, heard)
    survey.look(signals.points.values())
    return survey.finish()


def judge_point(
    point: PointSignals,
    now: datetime,
    settings: RuleSettings,
    *,
    site_id: str | None = None,
    heard: Heard | None = None,
    peers: Peers | None = None,
) -> list[Finding]:
    """The findings of POINT_KINDS about one charge point; `peers` of the last whole pass adds what its peers have."""
    found = look(View(point, now, alive_until(point, now, settings, heard), settings))
    if peers is None:
        return found
    return [with_peers(finding, point, site_id, peers, False) for finding in found]
