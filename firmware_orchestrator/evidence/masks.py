"""Causes that many charge points share: a fuse, a switch, a mobile network. Decided here: for how long one event hides its like.

At one site, events of one signal within 15 minutes are one event. A signal is masked for everybody while the control group sees an
incident: a tenth of it, at least 3 charge points at 3 sites, and far more than its own past makes usual, within 10 minutes. What
the control group does not see is never taken for an incident, so that a new firmware that fails everywhere at once is not excused.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, sqrt

import msgspec

from firmware_orchestrator.evidence.risk import INDEX
from firmware_orchestrator.evidence.signals import SITE_QUIET_S, Signal
from firmware_orchestrator.evidence.symptoms import MINUTE_US, Row

WINDOW_US = 10 * MINUTE_US
INCIDENT_US = 30 * MINUTE_US
SHARE = 0.10
SITES = 3
FAR = 4.0
"""Standard deviations above what is usual (of a Poisson count)."""
_ANY = INDEX[Signal.ANY]


class Masks(msgspec.Struct, omit_defaults=True):
    """Until when: per site and signal, per signal for everybody; and who of the control group had an event lately."""

    sites: dict[str, dict[int, int]] = {}
    incidents: dict[int, int] = {}
    recent: dict[int, list[tuple[int, str, str]]] = {}

    def hidden(self, row: Row, now: int) -> int:
        """Bits of the signals that are masked for a charge point now."""
        bits = 0
        for index, until in self.incidents.items():
            bits |= (until > now) << index
        if row.site is not None and row.site in self.sites:
            for index, until in self.sites[row.site].items():
                bits |= (until > now) << index
        return bits

    def at_site(self, site: str, index: int, now: int) -> int:
        """An event happened there; the instant until which its like is the same event."""
        until = now + SITE_QUIET_S * 1_000_000
        self.sites.setdefault(site, {})[index] = until
        return until

    # Each argument is one part of what makes an incident.
    def control_saw(self, index: int, rows: Iterable[Row], size: int, usual: float, now: int, *, composite: bool = True) -> int:
        """These of the control group, which has `size`, had an event; the end of the incident that this is, 0 if it is none.

        `usual`: events of the whole group that its own past makes expected within WINDOW_US. `composite`: does it count for `any`?
        """
        seen = [each for each in self.recent.get(index, ()) if now - each[0] < WINDOW_US]
        seen += [(now, row.charge_point_id, row.site or f"?{row.charge_point_id}") for row in rows]
        self.recent[index] = seen
        many = max(SITES, ceil(SHARE * size), usual + FAR * sqrt(usual))
        if len({who for _, who, _ in seen}) < many or len({site for _, _, site in seen}) < SITES:
            return 0
        self.incidents[index] = now + INCIDENT_US
        if composite:
            self.incidents[_ANY] = now + INCIDENT_US
        return now + INCIDENT_US

    def forget(self, now: int) -> None:
        """What is over."""
        self.incidents = {index: until for index, until in self.incidents.items() if until > now}
        left = {site: {index: until for index, until in each.items() if until > now} for site, each in self.sites.items()}
        self.sites = {site: each for site, each in left.items() if each}
        self.recent = {index: seen for index, seen in self.recent.items() if seen and now - seen[-1][0] < WINDOW_US}
