"""How many others have the same. Decided here: who the peers are: charge points of the same model, and at the same site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from alerts.finding import Evidence, Finding
from alerts.signals.network import NetworkSignals
from alerts.signals.point import PointSignals


class Peers(msgspec.Struct):
    """Charge points by model and by site, and how many of them have each kind of finding, from one pass over the network."""

    models: dict[str, int] = {}
    sites: dict[str, int] = {}
    model_kinds: dict[tuple[str, str], int] = {}
    site_kinds: dict[tuple[str, str], int] = {}

    def count(self, point: PointSignals, site_id: str | None) -> None:
        """One more charge point."""
        model = model_of(point)
        if model is not None:
            self.models[model] = self.models.get(model, 0) + 1
        if site_id is not None:
            self.sites[site_id] = self.sites.get(site_id, 0) + 1

    def found(self, point: PointSignals, site_id: str | None, kinds: Iterable[str]) -> None:
        """What one charge point has, each kind once."""
        model = model_of(point)
        for kind in set(kinds):
            if model is not None:
                self.model_kinds[model, kind] = self.model_kinds.get((model, kind), 0) + 1
            if site_id is not None:
                self.site_kinds[site_id, kind] = self.site_kinds.get((site_id, kind), 0) + 1


def model_of(point: PointSignals) -> str | None:
    """Vendor and model as one name; None while unknown."""
    return f"{point.vendor or ''} {point.model}".strip() if point.model else None


def with_peers(finding: Finding, point: PointSignals, site_id: str | None, peers: Peers, counted: bool) -> Finding:
    """The finding and how it stands among its peers. `counted`: its own charge point is among those that have it."""
    told = []
    model = model_of(point)
    if model is not None:
        told += _compared(
            f"charge points of the model {model}",
            peers.models.get(model, 0),
            peers.model_kinds.get((model, finding.kind), 0),
            counted,
        )
    if site_id is not None:
        told += _compared(
            "charge points at this site", peers.sites.get(site_id, 0), peers.site_kinds.get((site_id, finding.kind), 0), counted
        )
    return msgspec.structs.replace(finding, evidence=(*finding.evidence, *told)) if told else finding


def _compared(of: str, all_of_them: int, having: int, counted: bool) -> list[Evidence]:
    others = all_of_them - 1
    if others < 1:
        return []
    same = max(0, min(others, having - counted))
    return [Evidence(what=f"{same} of {others} other {of} have the same now.", value=same, unit="charge points", expected=others)]


def peers_of(signals: NetworkSignals, sites: Mapping[str, str], findings: Iterable[Finding]) -> Peers:
    """Counts for `judge_point`, from the findings of a whole pass."""
    peers, kinds = Peers(), dict[str, list[str]]()
    for finding in findings:
        if finding.charge_point_id is not None:
            kinds.setdefault(finding.charge_point_id, []).append(finding.kind)
    for point in signals.points.values():
        site_id = sites.get(point.charge_point_id)
        peers.count(point, site_id)
        peers.found(point, site_id, kinds.get(point.charge_point_id, ()))
    return peers
