"""What the detectors know, and their answers. Decided here: which detectors there are and what each is shown; not what follows.

Rules look at what is so now (signals), the statistical tests at what has been (statistics), the forest at whole weeks (weeks).

Facts are applied on the event loop; the judgements read only, and may run in a thread while nobody applies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from alerts.attempts import Attempt
from alerts.case import Case
from alerts.detectors import rules
from alerts.finding import Finding
from alerts.maintenance import Window
from alerts.masks import mask
from alerts.signals import NetworkSignals, SignalsOutdated
from alerts.statistics import PREFIX, Statistics
from alerts.store import Piece
from alerts.weeks import KIND, WEEKS, Weeks
from chargenet.events import Fact

SIGNALS = "signals:"


class Knowledge:
    """Signals and history of the whole network, and the detectors over them. `site_of`: site id of a charge point, "" for none."""

    def __init__(
        self,
        settings: rules.RuleSettings,
        heard: rules.Heard,
        site_of: Callable[[str], str],
        statistics: Statistics,
        weeks: Weeks,
    ) -> None:
        self.signals, self.statistics, self.weeks = NetworkSignals(), statistics, weeks
        self.sites: dict[str, str] = {}
        self._settings, self._heard, self._site_of = settings, heard, site_of
        self._peers = rules.Peers()

    def apply(self, fact: Fact) -> list[Attempt]:
        """Takes one fact in; the attempts that it finished."""
        name = fact.charge_point_id
        if not name:
            return []
        if name not in self.signals.points:
            self._placed(name)
        return self.statistics.observe(fact) if self.signals.apply(fact) else []

    def judge_points(self, charge_point_ids: Iterable[str], now: datetime) -> list[Finding]:
        """The findings about these charge points that a look at each alone can make."""
        found: list[Finding] = []
        for name in charge_point_ids:
            point = self.signals.points.get(name)
            if point is not None:
                site_id = self._placed(name)
                found += rules.judge_point(point, now, self._settings, site_id=site_id, heard=self._heard, peers=self._peers)
        return found

    def judge_network(self, now: datetime) -> list[Finding]:
        """All findings of the rules."""
        for name in self.signals.points:
            self._placed(name)
        survey = rules.Survey(now, self._settings, self.sites, self._heard)
        survey.look(self.signals.points.values())
        found = survey.finish()
        self._peers = survey.peers
        return found

    def _placed(self, name: str) -> str | None:
        """Where a charge point stands, asked anew."""
        site_id = self._site_of(name) or None
        if site_id != self.sites.get(name):
            if site_id is None:
                del self.sites[name]
            else:
                self.sites[name] = site_id
            self.statistics.history.place(name, site_id)
        return site_id

    def judged_alone(self, case: Case) -> bool:
        """`judge_points` looks for it."""
        return case.kind in rules.POINT_KINDS and case.charge_point_id is not None

    def judged_by_rules(self, case: Case) -> bool:
        """`judge_network` looks for it."""
        return case.kind in rules.POINT_KINDS or case.kind in rules.NETWORK_KINDS

    def judged_by_forest(self, case: Case) -> bool:
        """The weekly look looks for it."""
        return case.kind == KIND

    def mask(self, finding: Finding, now: datetime, windows: Iterable[Window]) -> str | None:
        """The planned work that hides a finding."""
        name = finding.charge_point_id
        site_id = self.sites.get(name) if name is not None else (finding.group or "").removeprefix("site:") or None
        point = self.signals.points.get(name) if name is not None else None
        return mask(finding, now, point=point, site_id=site_id, windows=windows)

    def groups(self, charge_point_id: str) -> frozenset[str]:
        """What a charge point is part of, as groups of findings are named."""
        site_id, point = self.sites.get(charge_point_id), self.signals.points.get(charge_point_id)
        named = {"network"}
        if site_id is not None:
            named.add(f"site:{site_id}")
        if point is not None and point.vendor:
            named.add(f"vendor:{point.vendor}")
        return frozenset(named)

    def take(self) -> list[Piece]:
        """What changed since the last time, to be stored."""
        signals = [Piece(SIGNALS + name, self.signals.snapshot(name)) for name in sorted(self.signals.take_changed())]
        return signals + self.statistics.take() + self.weeks.take()

    def restore(self, pieces: Iterable[Piece]) -> None:
        """Takes stored pieces up again, in parts in order of their names. Raises SignalsOutdated for another version's.

        Milliseconds for each charge point: for a thread.
        """
        past = []
        for piece in pieces:
            if piece.name.startswith(SIGNALS) and piece.state is not None:
                self.signals.restore(piece.state)
            elif piece.name.startswith(PREFIX):
                past.append(piece)
            elif piece.name == WEEKS and piece.state is not None:
                self.weeks.restore(piece.state)
            else:
                raise SignalsOutdated(f"a stored state of alerts is of another version: {piece.name.partition(':')[0]}")
        self.statistics.restore(past)
        self.sites = {name: place.site_id for name, place in self.statistics.history.places.items() if place.site_id is not None}

    def clear(self) -> None:
        """Forget everything."""
        self.signals = NetworkSignals()
        self.sites.clear()
        self.statistics.clear()
