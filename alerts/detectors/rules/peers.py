"""How many others have the same. Decided here: who the peers are: same model, and same site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from alerts.finding import Finding
from alerts.signals.network import NetworkSignals


class Peers(msgspec.Struct, frozen=True):
    """Charge points by model and by site, and how many of them have each kind of finding. From one pass over the network."""

    models: Mapping[str, int] = {}
    sites: Mapping[str, int] = {}
    model_kinds: Mapping[tuple[str, str], int] = {}
    site_kinds: Mapping[tuple[str, str], int] = {}


def peers_of(signals: NetworkSignals, sites: Mapping[str, str], findings: Sequence[Finding]) -> Peers:
    """Counts for `judge_point`, from the findings of a whole pass."""
    return Peers()
